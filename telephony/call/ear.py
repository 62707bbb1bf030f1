"""Decides whether there is sound from the caller, and whether it may be speech.

Sound is anything louder than the line's noise (`audio.level`). It decides how often audio goes to
the model, and how much of it a new session hears; too much does no harm there. Only speech, which
is louder, decides whether the caller is owed an answer. A television in another room, a door, and
the agent's own voice that comes back from the caller's side are sound, but no question.

How loud speech is depends on the line: it stands out from what is always there, and it is not far
softer than the loudest voice of late, which is the caller's. Otherwise a loud room, or people who
talk behind the caller, would put off what is owed without end.

Whether the caller talks over the agent is asked of `talk_over`, which hears more than loudness.
"""

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.level import LevelGate
from telephony.call.overheard import ECHO_MS
from telephony.call.talk_over import SPEECH_RMS, TalkOver

ABOVE_QUIETEST = 2.8
"""Speech is 9 dB above the quietest frame of the last seconds, also before the line is known."""

BELOW_LOUDEST = 1 / 16
"""Speech is at most 24 dB below the loudest of late; its own soft sounds are bridged."""

LATELY_MS = 20_000
"""The loudest is that of the last 20 to 40 s. Then somebody softer may hold the telephone."""

OVER_AGENT_RMS = 733
"""-33 dBFS, while the agent is heard: its voice, at -20, may come back 15 dB softer."""

BRIDGED_MS = 300
"""So much of softer sound before, between and after loud frames is a part of the same speech."""

_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class Ear:
    """Hears one line, in all its streams.

    Args:
        talk_over: Listens for a caller who talks over the agent; None if the ear is not asked.

    Attributes:
        sound_at_ms: When sound was last heard, speech or not.
        speech_at_ms: When speech was last heard.
        speech_ms: How much speech what came last has brought, 0 for none; with what came softly
            before the first loud frame.
    """

    def __init__(self, talk_over: TalkOver | None = None) -> None:
        self._gate = LevelGate()
        self._talk_over = talk_over
        self.sound_at_ms = 0
        self.speech_at_ms = 0
        self.speech_ms = 0.0
        self._loudest = Loudest()
        self._spoke = False
        self._began_ms = 0.0
        self._heard_at_ms = self._loud_at_ms = -BRIDGED_MS - 1

    def hears(
        self,
        pcm: bytes,
        now_ms: int,
        agent_until_ms: int = 0,
        agent_rms: int = 0,
        *,
        lost_ms: float = 0.0,
    ) -> bool:
        """Listen to what came.

        Args:
            pcm: PCM16, 8 kHz, mono.
            now_ms: The time.
            agent_until_ms: Until when the agent is heard, of what it has been sent.
            agent_rms: How loud it was at the caller's ear, as `TalkOver` asks for it.
            lost_ms: So much of its beginning is silence in the place of what was lost.

        Returns:
            Whether it is a sound.
        """
        length_ms = len(pcm) / _BYTES_PER_MS
        self.speech_ms = 0.0
        sound, rms = self._gate.hears(pcm), self._gate.rms
        if sound:
            self._loudest.hears(rms, now_ms)
        least_rms = max(self._gate.quietest_rms * ABOVE_QUIETEST, self._loudest.rms * BELOW_LOUDEST)
        if self._talk_over is not None and pcm:
            self._talk_over.hears(
                pcm,
                now_ms,
                rms=rms,
                least_rms=least_rms,
                agent_rms=agent_rms,
                agent_heard=now_ms < agent_until_ms,
                lost_ms=lost_ms,
            )
        if not sound:
            return False
        if now_ms - self._heard_at_ms > BRIDGED_MS:
            self._began_ms = now_ms - length_ms
        self.sound_at_ms = self._heard_at_ms = now_ms
        echo = now_ms < agent_until_ms + ECHO_MS
        begins = now_ms - self._loud_at_ms > BRIDGED_MS
        if rms > max(OVER_AGENT_RMS if echo else SPEECH_RMS, least_rms):
            self._spoke = True
            self._loud_at_ms = self.speech_at_ms = now_ms
            self.speech_ms = min(now_ms - self._began_ms, BRIDGED_MS) if begins else length_ms
        elif not begins:
            self.speech_at_ms, self.speech_ms = now_ms, length_ms
        return True

    def spoke_since(self, since_ms: int) -> bool:
        """Whether speech was heard at this time or later."""
        return self._spoke and self.speech_at_ms >= since_ms

    @property
    def active(self) -> bool:
        """True while there is sound, and for 300 ms after it."""
        return self._gate.active


class Loudest:
    """The loudest sound of late; a click is too short to count.

    Attributes:
        rms: How loud it is; 0 before there was one.
    """

    def __init__(self) -> None:
        self.rms = 0
        self._before_rms = self._older_rms = self._recent_rms = 0
        self._since_ms = 0

    def hears(self, rms: int, now_ms: int) -> None:
        """A frame of sound, as loud as this, ended now."""
        if now_ms - self._since_ms >= LATELY_MS:
            self._older_rms, self._recent_rms, self._since_ms = self._recent_rms, 0, now_ms
        self._recent_rms = max(self._recent_rms, min(rms, self._before_rms))
        self._before_rms = rms
        self.rms = max(self._older_rms, self._recent_rms)
