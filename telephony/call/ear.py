"""What the ear makes of the caller: is there sound, and since when."""

from telephony.audio.level import LevelGate


class Ear:
    """Hears one line, in all its streams.

    Attributes:
        sound_at_ms: When the caller was last heard, speaking or not.
    """

    def __init__(self) -> None:
        self._gate = LevelGate()
        self.sound_at_ms = 0

    def hears(self, pcm: bytes, now_ms: int) -> bool:
        """Listen to what came: PCM16, 8 kHz, mono. Returns whether it is a sound."""
        sound = self._gate.hears(pcm)
        if sound:
            self.sound_at_ms = now_ms
        return sound

    @property
    def active(self) -> bool:
        """True while there is sound, and for 300 ms after it."""
        return self._gate.active
