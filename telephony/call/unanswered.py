"""Caller audio that the model has not answered yet, which each new session hears.

It is kept since the last answered turn, up to 30 s, whether or not a session listened. Of a silence
before the first sound only the last second is kept, because soft speech may begin in it.
"""

from collections import deque
from typing import NamedTuple

from telephony.audio.formats import PHONE_SAMPLES_PER_MS

KEPT_LIMIT_SAMPLES = 30_000 * PHONE_SAMPLES_PER_MS

LEAD_IN_MS = 1_000
"""How much of what came before the first sound is sent again: speech may begin below the gate."""

QUIET_TAIL_MS = 200
"""How much is sent again where no sound was heard at all."""

WORD_FRAMES = 10
"""Frames of Twilio's, 20 ms each, that stand out; a "yes" has 15."""


class _Piece(NamedTuple):
    at_ms: int
    ulaw: bytes
    sound: bool


class Unanswered:
    """One caller's.

    Attributes:
        lost_samples: How much was forgotten that no session heard.
    """

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._samples = 0
        self._sounds = 0
        self.lost_samples = 0

    @property
    def sounded(self) -> bool:
        """Whether there is any sound in it."""
        return self._sounds > 0

    @property
    def spoken(self) -> bool:
        """Whether that may have been a word: not a click, nor a breath."""
        return self._sounds >= WORD_FRAMES

    @property
    def since_ms(self) -> int | None:
        """When the first of it came, or None if there is nothing."""
        return self._pieces[0].at_ms if self._pieces else None

    def keep(self, ulaw: bytes, now_ms: int, *, sound: bool, heard: bool) -> None:
        """Caller audio came.

        Args:
            ulaw: µ-law, 8 kHz, any length.
            now_ms: The time.
            sound: Whether the ear took it for a sound.
            heard: Whether a session listens.
        """
        self._pieces.append(_Piece(now_ms, ulaw, sound))
        self._samples += len(ulaw)
        self._sounds += sound
        while self._samples > KEPT_LIMIT_SAMPLES:
            self.lost_samples += 0 if heard else len(self._pieces[0].ulaw)
            self._forget_first()
        if not self._sounds:
            self._forget_before(now_ms - LEAD_IN_MS)

    def answered(self, before_ms: int) -> None:
        """The model has answered what came before `before_ms`."""
        self._forget_before(before_ms)

    def audio(self) -> bytes:
        """What a new session is to hear first: µ-law, 8 kHz."""
        since_ms = self._since_ms()
        return b"".join(piece.ulaw for piece in self._pieces if piece.at_ms >= since_ms)

    def _since_ms(self) -> int:
        if not self._pieces:
            return 0
        first = next((piece.at_ms for piece in self._pieces if piece.sound), None)
        if first is None:
            return self._pieces[-1].at_ms - QUIET_TAIL_MS
        return first - LEAD_IN_MS

    def _forget_before(self, before_ms: int) -> None:
        while self._pieces and self._pieces[0].at_ms < before_ms:
            self._forget_first()

    def _forget_first(self) -> None:
        piece = self._pieces.popleft()
        self._samples -= len(piece.ulaw)
        self._sounds -= piece.sound
