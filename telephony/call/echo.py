"""Learns how much of the agent's voice comes back from the caller's room.

It takes the loudest of late, beside the agent. What a caller says softly at first is no echo, and
would hide what follows; so nothing counts before half a second is over without speech in it.
"""

from collections import deque
from typing import Final


class Echo:
    """One line's."""

    UNKNOWN: Final = 0.07
    """-23 dB: what it may be before the line is known; with the margin, -17."""

    MOST: Final = 0.32
    """-10 dB. What is louder is somebody who speaks."""

    MARGIN: Final = 2.0
    """Speech is 6 dB above it."""

    AUDIBLE_RMS: Final = 184
    """-45 dBFS: of a softer agent nothing can be learned."""

    SPAN_MS: Final = 500
    """So much of the agent teaches something: only then, for a caller may begin softly in it."""

    SPANS: Final = 4
    """What was learned is forgotten after so many, and `UNKNOWN` after half of them."""

    def __init__(self) -> None:
        self._known: deque[float] = deque([self.UNKNOWN, 0.0, 0.0], maxlen=self.SPANS)
        self._share: float = self.UNKNOWN
        self._recent = 0.0
        self._before = 0.0
        self._heard_ms = 0
        self._at_ms = 0

    def least_rms(self, agent_rms: int) -> float:
        """What is softer may be the echo of an agent who is so loud."""
        return self._share * agent_rms * self.MARGIN

    def hears(self, rms: int, agent_rms: int, now_ms: int) -> None:
        """A frame that is not the caller's speech, while the agent was so loud. 0: it is no louder
        than the line's noise.
        """
        passed_ms, self._at_ms = now_ms - self._at_ms, now_ms
        if agent_rms < self.AUDIBLE_RMS:
            return
        share = min(rms / agent_rms, self.MOST)
        self._recent = max(self._recent, min(share, self._before))
        self._before = share
        self._heard_ms += min(passed_ms, 100)
        if self._heard_ms >= self.SPAN_MS:
            self._known.append(self._recent)
            self._share, self._recent, self._heard_ms = max(self._known), 0.0, 0

    def spoke(self) -> None:
        """What was heard last was the beginning of the caller's speech."""
        self._recent, self._heard_ms = 0.0, 0
