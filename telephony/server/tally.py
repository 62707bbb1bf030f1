"""The figures of one call on one worker, for the log line at its end and for the metrics.

The response time of a turn is the time that a caller waits: from the end of the caller's last sound
to the first audio of the answer that is sent to Twilio. Delay in the telephone network is not
included.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from agent.conversation.events import UsageReported
from telephony.audio import g711
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.level import LevelGate
from telephony.call.commands import NO_REPLY, Command, SendClear, SendMedia
from telephony.call.events import Event
from telephony.server.observers import Kinds
from telephony.twilio.messages import Media

WORD_MS = 200
"""A caller who spoke for less time has asked nothing, so the agent's next speech is no answer."""


class Tally:
    """The figures of one call. Call `step` with each step that has a kind it `wants`."""

    wants: Kinds = frozenset({Media, SendClear, SendMedia, UsageReported})

    def __init__(self) -> None:
        self._gate = LevelGate()
        self._heard_ms = 0.0
        self._last_sound_ms = 0
        self._reply = NO_REPLY
        self._turns = 0
        self._barge_ins = 0
        self._tokens = 0
        self._responses_ms: list[int] = []

    def step(self, event: Event, now_ms: int, commands: Sequence[Command]) -> int | None:
        """Take one step. Returns the response time in ms if an answer begins in this step."""
        if isinstance(event, Media):
            if self._gate.hears(g711.decode(event.payload)):
                self._last_sound_ms = now_ms
                self._heard_ms += len(event.payload) / PHONE_SAMPLES_PER_MS
        elif isinstance(event, UsageReported):
            self._tokens += event.total_tokens
        begins = cleared = spoke = False
        for command in commands:
            match command:
                case SendMedia(reply=reply) if reply != NO_REPLY:
                    spoke = True
                    begins = begins or reply > self._reply
                    self._reply = max(self._reply, reply)
                case SendClear():
                    cleared = True
                case _:
                    pass
        self._turns += begins
        # A new reply clears the waiting sound: that is not a barge-in.
        self._barge_ins += cleared and not spoke
        return self._response_ms(now_ms) if begins else None

    def figures(self, now_ms: int) -> dict[str, Any]:
        """The figures for the log line at the call's end; unknown ones are left out."""
        figures: dict[str, Any] = {"duration_ms": now_ms, "turns": self._turns}
        if self._responses_ms:
            figures["response_p50_ms"] = _percentile(self._responses_ms, 50)
            figures["response_p95_ms"] = _percentile(self._responses_ms, 95)
        figures["barge_ins"] = self._barge_ins
        if self._tokens:
            figures["tokens"] = self._tokens
        return figures

    def _response_ms(self, now_ms: int) -> int | None:
        asked = self._heard_ms >= WORD_MS
        self._heard_ms = 0.0
        if not asked:
            return None
        response_ms = now_ms - self._last_sound_ms
        self._responses_ms.append(response_ms)
        return response_ms


def _percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that so many per cent of the values do not exceed."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1]
