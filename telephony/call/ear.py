"""Decides whether there is sound from the caller, and whether it may be speech.

Sound is anything louder than the line's noise (`audio.level`). It decides how often audio goes to
the model, and how much of it a new session hears; too much does no harm there. Only speech, which
is louder, decides whether the caller is owed an answer. A television in another room, a door, and
the agent's own voice that comes back from the caller's side are sound, but no question.
"""

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.level import LevelGate

SPEECH_RMS = 184
"""-45 dBFS. A caller's voice is 15 dB above it, and what is heard behind it is mostly below."""

OVER_AGENT_RMS = 733
"""-33 dBFS, while the agent is heard: its voice, at -20, may come back 15 dB softer."""

ECHO_MS = 500
"""How much later than it was heard the agent's voice may come back from the caller's room."""

BRIDGED_MS = 300
"""So much of softer sound before, between and after loud frames is a part of the same speech."""

_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class Ear:
    """Hears one line, in all its streams.

    Attributes:
        sound_at_ms: When sound was last heard, speech or not.
        speech_at_ms: When speech was last heard.
        speech_ms: How long it lasted, or went on; with what came softly before its first loud
            frame.
    """

    def __init__(self) -> None:
        self._gate = LevelGate()
        self.sound_at_ms = 0
        self.speech_at_ms = 0
        self.speech_ms = 0.0
        self._began_ms = 0.0
        self._heard_at_ms = self._loud_at_ms = -BRIDGED_MS - 1

    def hears(self, pcm: bytes, now_ms: int, agent_until_ms: int = 0) -> bool:
        """Listen to what came.

        Args:
            pcm: PCM16, 8 kHz, mono.
            now_ms: The time.
            agent_until_ms: Until when the agent is heard, of what it has been sent.

        Returns:
            Whether it is a sound.
        """
        if not self._gate.hears(pcm):
            return False
        length_ms = len(pcm) / _BYTES_PER_MS
        if now_ms - self._heard_at_ms > BRIDGED_MS:
            self._began_ms = now_ms - length_ms
        self.sound_at_ms = self._heard_at_ms = now_ms
        echo = now_ms < agent_until_ms + ECHO_MS
        begins = now_ms - self._loud_at_ms > BRIDGED_MS
        if self._gate.rms > (OVER_AGENT_RMS if echo else SPEECH_RMS):
            self._loud_at_ms = self.speech_at_ms = now_ms
            self.speech_ms = min(now_ms - self._began_ms, BRIDGED_MS) if begins else length_ms
        elif not begins:
            self.speech_at_ms, self.speech_ms = now_ms, length_ms
        return True

    @property
    def active(self) -> bool:
        """True while there is sound, and for 300 ms after it."""
        return self._gate.active
