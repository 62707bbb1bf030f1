"""How long this model thinks in this call, so that a slow model is not taken for a dead one.

At first the usual time of the model is used (`usual_ms`). Then its own answers are measured. Some
of them may have needed a nudge and took longer, so the lower median of the last few counts.
"""

from collections import deque

LEAST_PATIENCE_MS = 4_000
"""An ordinary answer begins after 1.1 to 1.6 s, in a long conversation after 2.2 s; one that calls
for a tool, or for thought, takes longer, and to be asked again in the middle of it helps nobody."""

REMEMBERED = 5


class Pace:
    """Args:
    usual_ms: How long this model is known to think; 0 where nothing is known.
    """

    def __init__(self, usual_ms: int = 0) -> None:
        self._known_ms = usual_ms
        self._lately_ms: deque[int] = deque(maxlen=REMEMBERED)

    def took(self, ms: int) -> None:
        """An answer took so long."""
        self._lately_ms.append(ms)

    @property
    def usual_ms(self) -> int:
        """How long an answer takes."""
        if not self._lately_ms:
            return self._known_ms
        return sorted(self._lately_ms)[(len(self._lately_ms) - 1) // 2]

    def patience_ms(self, least_ms: int = LEAST_PATIENCE_MS) -> int:
        """How long an answer may take before something is done about it."""
        return max(least_ms, 2 * self.usual_ms)
