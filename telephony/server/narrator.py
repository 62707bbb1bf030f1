"""The log of a call, by meaning. What callers say and who they are is not logged."""

from collections.abc import Sequence

import structlog

from agent.conversation.commands import OpenModel
from agent.conversation.events import (
    GoAway,
    Interrupted,
    SessionLost,
    SessionReady,
    SessionRefused,
    UnknownModelMessage,
)
from telephony.call.commands import Command, EndCall, SendClear
from telephony.call.events import (
    CallOpened,
    Event,
    OwnershipLost,
    StoreAway,
    StoreBack,
    StreamEnded,
    StreamStarted,
)
from telephony.twilio.messages import Malformed

log = structlog.get_logger(__name__)

MALFORMED_EVERY_MS = 1_000
"""A stream of nonsense gets one line a second."""


class Narrator:
    """An observer that logs what matters of each step."""

    def __init__(self) -> None:
        self._malformed: dict[str, tuple[int, int]] = {}

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Log one step of one call."""
        told = log.bind(call_sid=call_sid, at_ms=now_ms)
        self._tell_event(told, call_sid, event, now_ms)
        for command in commands:
            match command:
                case OpenModel():
                    told.info(
                        "model dialled",
                        session=command.session,
                        resumed=bool(command.handle),
                        history=len(command.history),
                    )
                case SendClear():
                    told.info("cleared")
                case EndCall():
                    self._malformed.pop(call_sid, None)
                    told.info("call ended", reason=command.reason, final=command.final)
                case _:
                    pass

    def _tell_event(
        self, told: structlog.stdlib.BoundLogger, call_sid: str, event: Event, now_ms: int
    ) -> None:
        match event:
            case CallOpened():
                told.info("call opened", resumed=event.checkpoint is not None)
            case StreamStarted():
                told.info("stream started", stream_sid=event.stream_sid, epoch=event.epoch)
            case StreamEnded():
                told.info("stream ended", stream_sid=event.stream_sid, how=event.how)
            case SessionReady():
                told.info("model ready", session=event.session)
            case SessionLost():
                told.warning("model lost", session=event.session, code=event.code, why=event.reason)
            case SessionRefused():
                told.warning(
                    "model refused", session=event.session, code=event.code, why=event.reason
                )
            case GoAway():
                told.info("model goes away", session=event.session, left_ms=event.time_left_ms)
            case Interrupted():
                told.info("interrupted", session=event.session)
            case UnknownModelMessage():
                told.warning("model message not understood", what=event.what)
            case OwnershipLost():
                told.info("call taken over", epoch=event.epoch)
            case StoreAway():
                told.warning("store away; lines wait in memory")
            case StoreBack():
                told.info("store back")
            case Malformed():
                self._tell_malformed(told, call_sid, event.reason, now_ms)
            case _:
                pass

    def _tell_malformed(
        self, told: structlog.stdlib.BoundLogger, call_sid: str, reason: str, now_ms: int
    ) -> None:
        last_ms, unsaid = self._malformed.get(call_sid, (-MALFORMED_EVERY_MS, 0))
        if now_ms - last_ms < MALFORMED_EVERY_MS:
            self._malformed[call_sid] = (last_ms, unsaid + 1)
            return
        self._malformed[call_sid] = (now_ms, 0)
        told.warning("message ignored", reason=reason, others_since=unsaid)
