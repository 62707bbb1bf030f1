"""Twilio's playout buffer towards the caller: bytes and marks, first in, first out.

It plays 20 ms at a time. When it is empty the caller hears silence. Twilio does not count that as a
fault, and neither does this module. It records an `Underrun`, for code that knows which audio
belonged together.
"""

from collections import deque
from dataclasses import dataclass

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE

CAPACITY_BYTES = 10 * 60 * 1000 * PHONE_SAMPLES_PER_MS
"""Ten minutes (Twilio's error 31931)."""


@dataclass(frozen=True, slots=True)
class Underrun:
    """Silence because the buffer was empty, ended by more audio.

    Args:
        at: Where in `Playout.heard` it began.
        samples: How long it was.
        after_clear: The buffer was empty because it had been cleared.
    """

    at: int
    samples: int
    after_clear: bool


class Playout:
    """Twilio's queue, and the audio that the caller has heard."""

    def __init__(self) -> None:
        self.heard = bytearray()
        """µ-law, all of it since the stream's media began: audio, and silence in between. The
        last frame is the one that sounds now."""
        self.underruns: list[Underrun] = []
        self._queue = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._taken = 0
        self._played = 0
        self._dry_since: int | None = None
        self._dry_by_clear = False

    @property
    def queued_bytes(self) -> int:
        """How many bytes were accepted but not played yet."""
        return len(self._queue)

    @property
    def played_bytes(self) -> int:
        """How many bytes of the server's audio were played, including the frame that plays now."""
        return self._taken

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The marks that wait for their audio, in order."""
        return tuple(name for _, name in self._marks)

    def append(self, ulaw: bytes) -> int:
        """Queue audio. Returns how many bytes were discarded because the buffer is full."""
        accepted = ulaw[: CAPACITY_BYTES - len(self._queue)]
        self._queue += accepted
        return len(ulaw) - len(accepted)

    def mark(self, name: str) -> None:
        """Queue a mark behind all audio accepted so far; `played` returns it."""
        self._marks.append((self._taken + len(self._queue), name))

    def clear(self) -> tuple[bytes, tuple[str, ...]]:
        """Drop everything. Returns the audio that was not heard, and the marks, all due at once."""
        dropped, names = bytes(self._queue), self.outstanding
        self._queue.clear()
        self._marks.clear()
        self._dry_by_clear = True
        return dropped, names

    def played(self) -> list[str]:
        """The marks that are due, because all audio before them was played."""
        due = []
        while self._marks and self._marks[0][0] <= self._played:
            due.append(self._marks.popleft()[1])
        return due

    def play_frame(self) -> None:
        """End the frame before, and play the next 20 ms to the caller."""
        self._played = self._taken
        frame = bytes(self._queue[:FRAME_SAMPLES])
        del self._queue[:FRAME_SAMPLES]
        if frame:
            self._end_underrun()
            self._taken += len(frame)
            self._dry_by_clear = False
        self.heard += frame
        if len(frame) < FRAME_SAMPLES:
            if self._dry_since is None and self._taken:
                self._dry_since = len(self.heard)
            self.heard += ULAW_SILENCE * (FRAME_SAMPLES - len(frame))

    def _end_underrun(self) -> None:
        if self._dry_since is not None:
            samples = len(self.heard) - self._dry_since
            self.underruns.append(Underrun(self._dry_since, samples, self._dry_by_clear))
            self._dry_since = None
