"""Decides whether there is sound on the line, by its rms over a noise floor that follows the line.

The floor is the quietest frame of the last 2 to 4 s. Speech has several short pauses in that span,
however long it lasts, so it never becomes its own floor. A steady noise does within 4 s, at any
level. The gate saves work in silence. It is not a voice detector: music and the agent's own echo
are sound to it, and it decides nothing about who speaks.
"""

import audioop

from telephony.audio.formats import PHONE_RATE_HZ

HANGOVER_MS = 300
"""How long `active` stays true after sound. Pauses between words are shorter."""

FLOOR_SPAN_MS = 2_000
ABOVE_FLOOR = 2.8
"""Sound is 9 dB above the floor. 6 dB gives more false alarms, 12 dB later onsets."""

FAINTEST_RMS = 65
"""-54 dBFS. Anything fainter is not sound, even over digital silence; µ-law's own noise has 8."""


def rms(pcm: bytes) -> int:
    """How loud a sound is: the root of its mean square, 0 to 32 768.

    Args:
        pcm: PCM16 little-endian, mono, any rate; empty is silent.
    """
    return audioop.rms(pcm, 2)


class LevelGate:
    """Listens to one line, frame by frame.

    Args:
        rate_hz: The sample rate. Frames may have any length, but the figures above were chosen
            for 20 ms.
    """

    __slots__ = (
        "_floor_span",
        "_hangover",
        "_knows_older",
        "_older_rms",
        "_quiet_samples",
        "_recent_rms",
        "_span_samples",
        "_threshold_rms",
        "rms",
    )

    def __init__(self, rate_hz: int = PHONE_RATE_HZ) -> None:
        self._hangover = rate_hz * HANGOVER_MS // 1000
        self._floor_span = rate_hz * FLOOR_SPAN_MS // 1000
        self._quiet_samples = self._hangover + 1
        # The line counts as silent before its first frame, so a caller who speaks at once is heard.
        self._older_rms = 0
        self._knows_older = False
        self._recent_rms = _LOUDEST_RMS
        self._span_samples = 0
        self._threshold_rms: float = FAINTEST_RMS
        self.rms = 0
        """The rms of the last frame."""

    def hears(self, pcm: bytes) -> bool:
        """Listen to one frame.

        Args:
            pcm: PCM16 little-endian, mono, whole samples.

        Returns:
            True if this frame is louder than the line's noise. An empty frame has no effect.
        """
        samples = len(pcm) // 2
        if not samples:
            return False
        rms = self.rms = audioop.rms(pcm, 2)
        self._span_samples += samples
        if rms < self._recent_rms:
            self._recent_rms = rms
            self._follow_floor()
        if self._span_samples >= self._floor_span:
            self._span_samples = 0
            self._older_rms, self._recent_rms = self._recent_rms, _LOUDEST_RMS
            self._knows_older = True
            self._follow_floor()
        if rms > self._threshold_rms:
            self._quiet_samples = 0
            return True
        self._quiet_samples += samples
        return False

    @property
    def quietest_rms(self) -> int:
        """The quietest frame of the last 2 to 4 s, or of all so far."""
        return min(self._older_rms, self._recent_rms) if self._knows_older else self._recent_rms

    @property
    def active(self) -> bool:
        """True while there is sound, and for each frame that ends within 300 ms after it."""
        return self._quiet_samples <= self._hangover

    def _follow_floor(self) -> None:
        floor_rms = min(self._older_rms, self._recent_rms)
        self._threshold_rms = max(FAINTEST_RMS, floor_rms * ABOVE_FLOOR)


_LOUDEST_RMS = 32_768
