"""Decides whether there is sound from the caller, and whether it may be speech.

Sound is anything louder than the line's noise (`audio.level`). It decides how often audio goes to
the model, and how much of it a new session hears; too much does no harm there. Only speech, which
is louder, decides whether the caller is owed an answer. A television in another room, a door, and
the agent's own voice that comes back from the caller's side are sound, but no question.

How loud speech is depends on the line: it stands out from what is always there, and it is not far
softer than the loudest voice of late, which is the caller's. Otherwise a loud room, or people who
talk behind the caller, would put off what is owed without end.

Whether it is speech the ear tells by its length alone: it begins, and may be a cough; if it lasts,
it is speech for sure. That is counted in samples, because media comes in bursts.
"""

from agent.conversation.debt import QUESTION_MS
from agent.conversation.speech import CallerSpeech, Utterance
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.level import LevelGate

SPEECH_RMS = 184
"""-45 dBFS. A caller's voice is 15 dB above it, and what is heard behind it is mostly below."""

ABOVE_QUIETEST = 2.8
"""Speech is 9 dB above the quietest frame of the last seconds, also before the line is known."""

BELOW_LOUDEST = 1 / 16
"""Speech is at most 24 dB below the loudest of late; its own soft sounds are bridged."""

LATELY_MS = 20_000
"""The loudest is that of the last 20 to 40 s. Then somebody softer may hold the telephone."""

OVER_AGENT_RMS = 733
"""-33 dBFS, while the agent is heard: its voice, at -20, may come back 15 dB softer."""

ECHO_MS = 500
"""How much later than it was heard the agent's voice may come back from the caller's room."""

BRIDGED_MS = 300
"""So much of softer sound before, between and after loud frames is a part of the same speech."""

ONSET_MS = 60
"""So much speech is an utterance that begins: three frames of Twilio's. A click has less."""

SURE_MS = QUESTION_MS
"""So much is speech for sure. Coughs have less, and so has an "mhm"."""

GONE_MS = 1_000
"""When nothing at all has come for so long, what was said is over: some lines deliver nothing in
silence. Bursts come after shorter gaps."""

_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class Ear:
    """Hears one line, in all its streams.

    Attributes:
        sound_at_ms: When sound was last heard, speech or not.
        speech_at_ms: When speech was last heard.
        speech_ms: How much speech what came last has brought, 0 for none; with what came softly
            before the first loud frame.
    """

    def __init__(self) -> None:
        self._gate = LevelGate()
        self.sound_at_ms = 0
        self.speech_at_ms = 0
        self.speech_ms = 0.0
        self._loudest = Loudest()
        self._spoke = False
        self._told: CallerSpeech | None = None
        self._began_ms = 0.0
        self._heard_at_ms = self._loud_at_ms = -BRIDGED_MS - 1
        # Counted in what came of the line, not by the clock:
        self._came_ms = self._onset_ms = 0.0
        self._loud_ends_ms = -BRIDGED_MS - 1.0

    def hears(
        self, pcm: bytes, now_ms: int, agent_until_ms: int = 0, *, lost_ms: float = 0.0
    ) -> bool:
        """Listen to what came.

        Args:
            pcm: PCM16, 8 kHz, mono.
            now_ms: The time.
            agent_until_ms: Until when the agent is heard, of what it has been sent.
            lost_ms: So much of its beginning is silence in the place of what was lost.

        Returns:
            Whether it is a sound.
        """
        length_ms = len(pcm) / _BYTES_PER_MS
        began_ms = self._came_ms + lost_ms
        self._came_ms += length_ms
        self.speech_ms = 0.0
        if not self._gate.hears(pcm):
            return False
        rms = self._gate.rms
        self._loudest.hears(rms, now_ms)
        if now_ms - self._heard_at_ms > BRIDGED_MS:
            self._began_ms = now_ms - length_ms
        self.sound_at_ms = self._heard_at_ms = now_ms
        echo = now_ms < agent_until_ms + ECHO_MS
        begins = now_ms - self._loud_at_ms > BRIDGED_MS
        if rms > max(
            OVER_AGENT_RMS if echo else SPEECH_RMS,
            self._gate.quietest_rms * ABOVE_QUIETEST,
            self._loudest.rms * BELOW_LOUDEST,
        ):
            if self._over(now_ms):
                self._onset_ms = began_ms
            self._loud_ends_ms, self._spoke = self._came_ms, True
            self._loud_at_ms = self.speech_at_ms = now_ms
            self.speech_ms = min(now_ms - self._began_ms, BRIDGED_MS) if begins else length_ms
        elif not begins:
            self.speech_at_ms, self.speech_ms = now_ms, length_ms
        return True

    def spoke_since(self, since_ms: int) -> bool:
        """Whether speech was heard at this time or later."""
        return self._spoke and self.speech_at_ms >= since_ms

    def news(self, now_ms: int) -> CallerSpeech | None:
        """What is new of what the caller says; ask after each `hears`.

        It lasts from its first loud frame to its last one; softer sound in between counts.
        """
        told = self._told
        lasted_ms = self._loud_ends_ms - self._onset_ms
        if self._over(now_ms):
            self._told = None
            return None if told is None else CallerSpeech(Utterance.ENDED, sure=told.sure)
        if told is None and lasted_ms >= ONSET_MS:
            self._told = CallerSpeech(Utterance.BEGAN, sure=False)
        elif told is not None and not told.sure and lasted_ms >= SURE_MS:
            self._told = CallerSpeech(Utterance.CONFIRMED, sure=True)
        return None if self._told is told else self._told

    def _over(self, now_ms: int) -> bool:
        """Whether the utterance of the last loud frame is over."""
        quiet_ms = self._came_ms - self._loud_ends_ms
        return quiet_ms > BRIDGED_MS or now_ms - self._loud_at_ms > GONE_MS

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
