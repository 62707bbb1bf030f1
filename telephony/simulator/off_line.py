"""The caller while there is no stream: time passes, in silence or with something to hear.

Without an `Air` nobody hears the caller and the caller hears nothing. In both cases the caller goes
on with the script: speaks, presses keys, and may hang up.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.simulator.clock import Clock
from telephony.simulator.director import Director, Press
from telephony.simulator.hearing import SILENT_FRAME, Air, Heard, Hearing, Played
from telephony.simulator.report import CallerSpoke, CallEvent, KeyPressed
from telephony.simulator.script import Cut, HangUp, Utterance


class Passed(Enum):
    """How a time without a stream ended."""

    BY = "by"
    INTERRUPTED = "interrupted"
    KEY = "key"
    HUNG_UP = "hung-up"


class Live(Protocol):
    """Lets time pass in a call without a stream, until REST interrupts it."""

    async def __call__(self, duration_ms: int, *, keys: str = "", air: Air | None = None) -> Passed:
        """See `OffLine.live`."""
        ...


class OffLine:
    """The caller without a stream.

    Args:
        director: Decides what the caller does.
        clock: The call's clock.
        tell: Called with each event.
        voices: Whether the caller takes Twilio's own voice for somebody who speaks.

    Attributes:
        hearing: What the caller heard.
        key: The key that ended the last time, if one did.
    """

    def __init__(
        self,
        director: Director,
        clock: Clock,
        tell: Callable[[CallEvent], None],
        *,
        voices: bool = False,
    ) -> None:
        self.hearing = Hearing()
        self.key = ""
        self._director, self._clock, self._tell = director, clock, tell
        self._voices = voices
        self._unsaid = b""
        self._since_ms = 0

    async def live(
        self,
        duration_ms: int,
        interrupted: Callable[[], bool],
        *,
        keys: str = "",
        air: Air | None = None,
    ) -> Passed:
        """Let time pass. Keys have no effect, except those that this waits for.

        Args:
            duration_ms: How long.
            interrupted: Checked every 20 ms.
            keys: The keys that end the wait.
            air: What the caller hears, and who hears the caller. The wait ends with it.
        """
        never = asyncio.Event()
        due_ms = self._clock.now_ms()
        until_ms = due_ms + duration_ms
        while due_ms < until_ms and not (air is not None and air.over):
            if interrupted():
                return Passed.INTERRUPTED
            if (ended := self._act(due_ms, keys)) is not None:
                return ended
            if air is not None or self._voices:
                self._sound(due_ms, air)
            due_ms += FRAME_MS
            await self._clock.wait(never, min(due_ms, until_ms))
        return Passed.BY

    def keep(self, unsaid: bytes, now_ms: int) -> None:
        """Keep the µ-law that the caller had not said yet when a stream ended."""
        self._unsaid, self._since_ms = unsaid, now_ms

    def left(self, now_ms: int) -> bytes:
        """The rest of the caller's speech. The caller goes on talking without a line."""
        return self._unsaid[max(0, now_ms - self._since_ms) * PHONE_SAMPLES_PER_MS :]

    def _act(self, now_ms: int, keys: str) -> Passed | None:
        """Do what the script wants now. Returns how the wait ends by that, if it does."""
        ended = None
        for action in self._director.step(now_ms):
            match action:
                case Utterance():
                    self.keep(self.left(now_ms) + action.ulaw, now_ms)
                    told = CallerSpoke(now_ms, action.name, action.text, action.duration_ms)
                    self._tell(told)
                case Press(digit):
                    self._tell(KeyPressed(now_ms, digit))
                    if digit in keys:
                        self.key, ended = digit, Passed.KEY
                case HangUp():
                    return Passed.HUNG_UP
                case Cut():
                    pass  # there is no socket
        return ended

    def _sound(self, at_ms: int, air: Air | None) -> None:
        """Say and hear 20 ms; without an `Air`, silence."""
        if air is None:
            self._director.ear.hear(SILENT_FRAME, at_ms)
            return
        said = self.left(at_ms)[:FRAME_SAMPLES]
        air.say(said.ljust(FRAME_SAMPLES, ULAW_SILENCE))
        heard = air.hear()
        self.hearing.note(at_ms, heard)
        if not self._voices and isinstance(air, Played):
            return  # nobody is there
        self._director.hear(heard.frame if self._counts(heard) else SILENT_FRAME, at_ms)

    def _counts(self, heard: Heard) -> bool:
        """Whether somebody seems to speak: another person, or perhaps Twilio's voice."""
        kinds = {source.kind for source in heard.sources}
        return "person" in kinds or (self._voices and "voice" in kinds)
