"""The caller while there is no stream: time passes, nobody hears the caller, who may hang up."""

import asyncio
from collections.abc import Callable
from enum import Enum

from telephony.audio.formats import FRAME_MS, PHONE_SAMPLES_PER_MS
from telephony.simulator.clock import Clock
from telephony.simulator.director import Director, Press
from telephony.simulator.report import CallerSpoke, CallEvent, KeyPressed
from telephony.simulator.script import Cut, HangUp, Utterance


class Passed(Enum):
    """How a time without a stream ended."""

    BY = "by"
    INTERRUPTED = "interrupted"
    STAR = "star"
    HUNG_UP = "hung-up"


class OffLine:
    """The caller without a stream.

    Args:
        director: Decides what the caller does.
        clock: The call's clock.
        tell: Called with each event.
    """

    def __init__(self, director: Director, clock: Clock, tell: Callable[[CallEvent], None]) -> None:
        self._director, self._clock, self._tell = director, clock, tell
        self._unsaid = b""
        self._since_ms = 0

    async def live(
        self, duration_ms: int, interrupted: Callable[[], bool], *, until_star: bool = False
    ) -> Passed:
        """Let time pass. Keys have no effect, except a * that this waits for.

        Args:
            duration_ms: How long.
            interrupted: Checked every 20 ms.
            until_star: Whether a * ends the wait.
        """
        never = asyncio.Event()
        until_ms = self._clock.now_ms() + duration_ms
        while (now_ms := self._clock.now_ms()) < until_ms:
            if interrupted():
                return Passed.INTERRUPTED
            for action in self._director.step(now_ms):
                match action:
                    case Utterance():
                        self.keep(self.left(now_ms) + action.ulaw, now_ms)
                        told = CallerSpoke(now_ms, action.name, action.text, action.duration_ms)
                        self._tell(told)
                    case Press(digit):
                        self._tell(KeyPressed(now_ms, digit))
                        if until_star and digit == "*":
                            return Passed.STAR
                    case HangUp():
                        return Passed.HUNG_UP
                    case Cut():
                        pass  # there is no socket
            await self._clock.wait(never, min(now_ms + FRAME_MS, until_ms))
        return Passed.BY

    def keep(self, unsaid: bytes, now_ms: int) -> None:
        """Keep the µ-law that the caller had not said yet when a stream ended."""
        self._unsaid, self._since_ms = unsaid, now_ms

    def left(self, now_ms: int) -> bytes:
        """The rest of the caller's speech. The caller goes on talking without a line."""
        return self._unsaid[max(0, now_ms - self._since_ms) * PHONE_SAMPLES_PER_MS :]
