"""How loud the agent is at the caller's ear: what may come back from there as an echo."""

from collections import deque

from telephony.audio import g711, level
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS

ECHO_MS = 500
"""How much later than it was heard the agent's voice may come back from the caller's room."""

EARLY_MS = 100
"""How much earlier than is known here it may have been heard: a mark has a way to go."""


class Overheard:
    """The loudness of what was sent on one stream, by 20 ms. Positions are samples, as in
    `playout`.
    """

    def __init__(self) -> None:
        self._coming: deque[tuple[int, int]] = deque()
        self._heard: deque[tuple[int, int]] = deque()
        """What may come back, each louder than all behind it: nothing else can be the loudest."""

    def reset(self) -> None:
        """A new stream: nothing was sent."""
        self._coming.clear()
        self._heard.clear()

    def sent(self, at: int, ulaw: bytes) -> None:
        """This was sent, to be played from the position `at` on."""
        for start in range(0, len(ulaw), FRAME_SAMPLES):
            frame = ulaw[start : start + FRAME_SAMPLES]
            self._coming.append((at + start, level.rms(g711.decode(frame))))

    def cleared(self, at: int) -> None:
        """What was sent from there on is not played."""
        while self._coming and self._coming[-1][0] >= at:
            self._coming.pop()

    def loudest(self, heard: int) -> int:
        """The rms of the loudest 20 ms that may come back now.

        Args:
            heard: The position up to which it was heard.
        """
        newest = heard + EARLY_MS * PHONE_SAMPLES_PER_MS
        while self._coming and self._coming[0][0] < newest:
            frame = self._coming.popleft()
            while self._heard and self._heard[-1][1] <= frame[1]:
                self._heard.pop()
            self._heard.append(frame)
        oldest = heard - (ECHO_MS + EARLY_MS) * PHONE_SAMPLES_PER_MS
        while self._heard and self._heard[0][0] < oldest:
            self._heard.popleft()
        return self._heard[0][1] if self._heard else 0
