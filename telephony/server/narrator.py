"""Writes the log of each call. It logs neither what callers say nor who they are."""

from collections.abc import Sequence
from typing import Any

import structlog

from agent.conversation.commands import AppendLine, CloseModel, OpenModel, RunTool, SayToModel
from agent.conversation.events import (
    GoAway,
    Interrupted,
    SessionLost,
    SessionReady,
    SessionRefused,
    UnknownModelMessage,
)
from agent.conversation.listener_commands import HideCaller, ShowCaller
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import NANO
from agent.conversation.tool_events import ToolFinished
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
from telephony.server.measuring import Measuring
from telephony.server.observers import Kinds
from telephony.twilio.messages import Malformed

log = structlog.get_logger(__name__)

MALFORMED_EVERY_MS = 1_000
"""Malformed messages of one call are logged at most once a second."""


class Narrator:
    """An observer that logs the important steps of each call, and its figures at the end.

    Args:
        measuring: Knows the figures of each call.
    """

    wants: Kinds = frozenset(
        {
            AppendLine,
            BudgetSpent,
            CallOpened,
            CloseModel,
            EndCall,
            GoAway,
            HideCaller,
            Interrupted,
            Malformed,
            OpenModel,
            OwnershipLost,
            RunTool,
            SayToModel,
            SendClear,
            SessionLost,
            SessionReady,
            SessionRefused,
            ShowCaller,
            StoreAway,
            StoreBack,
            StreamEnded,
            StreamStarted,
            ToolFinished,
            UnknownModelMessage,
        }
    )

    def __init__(self, measuring: Measuring) -> None:
        self._measuring = measuring
        self._malformed: dict[str, tuple[int, int]] = {}

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Log one step of one call."""
        about = {"call_sid": call_sid, "at_ms": now_ms}
        self._tell_event(event, about)
        for command in commands:
            match command:
                case OpenModel():
                    log.info(
                        "model dialled",
                        session=command.session,
                        resumed=bool(command.handle),
                        fallback=command.fallback,
                        history=len(command.history),
                        **about,
                    )
                case CloseModel(session, trouble) if trouble:
                    log.warning("model left", session=session, trouble=trouble, **about)
                case SayToModel(session=session, trouble=trouble) if trouble:
                    log.warning("model nudged", session=session, trouble=trouble, **about)
                case SendClear():
                    log.info("cleared", **about)
                case AppendLine(line):
                    turn = {"line": line.n, "role": line.role, "began_ms": line.at_ms}
                    log.info("turn over", **turn, cut=line.heard != line.text, **about)
                case RunTool(number, name):
                    log.info("tool called", tool=name, number=number, **about)
                case HideCaller(tool, parameter) if parameter:
                    log.info("caller hidden", tool=tool, parameter=parameter, **about)
                case ShowCaller():
                    log.info("caller heard again", **about)
                case EndCall():
                    self._malformed.pop(call_sid, None)
                    self._tell_end(command, about)
                case _:
                    pass

    def _tell_end(self, end: EndCall, about: dict[str, Any]) -> None:
        ended: dict[str, Any] = {"reason": end.reason, "final": end.final}
        ended["usd"] = "unknown" if end.cost is None else end.cost / NANO
        ended["duration_ms"] = about["at_ms"]
        if end.tokens:
            ended["tokens"] = end.tokens
        figures = self._measuring.figures(about["call_sid"])
        log.info("call ended", **ended, **figures, **about)

    def _tell_event(self, event: Event, about: dict[str, Any]) -> None:
        match event:
            case CallOpened():
                log.info("call opened", resumed=event.checkpoint is not None, **about)
            case StreamStarted():
                log.info("stream started", stream_sid=event.stream_sid, epoch=event.epoch, **about)
            case StreamEnded():
                log.info("stream ended", stream_sid=event.stream_sid, how=event.how, **about)
            case SessionReady():
                log.info("model ready", session=event.session, **about)
            case SessionLost():
                why = {"code": event.code, "why": event.reason}
                log.warning("model lost", session=event.session, **why, **about)
            case SessionRefused():
                why = {"code": event.code, "why": event.reason}
                # Without a code, no answer of Gemini's was received.
                what = "model refused" if event.code else "model unreachable"
                log.warning(what, session=event.session, **why, **about)
            case GoAway():
                left_ms = event.time_left_ms
                log.info("model goes away", session=event.session, left_ms=left_ms, **about)
            case Interrupted():
                log.info("interrupted", session=event.session, **about)
            case ToolFinished():
                log.info("tool finished", number=event.call, status=event.status, **about)
            case UnknownModelMessage():
                log.warning("model message not understood", what=event.what, **about)
            case OwnershipLost():
                log.info("call taken over", epoch=event.epoch, **about)
            case BudgetSpent():
                log.info("the money is spent; the agent says goodbye", of=event.of, **about)
            case StoreAway():
                log.warning("store away; lines wait in memory", why=event.why, **about)
            case StoreBack():
                log.info("store back", **about)
            case Malformed():
                self._tell_malformed(event.reason, about)
            case _:
                pass

    def _tell_malformed(self, reason: str, about: dict[str, Any]) -> None:
        call_sid, now_ms = about["call_sid"], about["at_ms"]
        last_ms, unsaid = self._malformed.get(call_sid, (-MALFORMED_EVERY_MS, 0))
        if now_ms - last_ms < MALFORMED_EVERY_MS:
            self._malformed[call_sid] = (last_ms, unsaid + 1)
            return
        self._malformed[call_sid] = (now_ms, 0)
        log.warning("message ignored", reason=reason, others_since=unsaid, **about)
