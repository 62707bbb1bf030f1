"""Decides whether the caller talks over the agent: the ear of the manners `quick` and `patient`.

`quick` tells at once of a sound that may be speech, and `patient` of one that has been speech for a
while. What then has no voice in it was a cough or a noise; what is over soon was an "mhm", or one
word that the model's server tells of; what lasts and has a voice is speech for sure.

The agent's own voice comes back from the caller's room. So while the agent is heard, a sound counts
only if it is twice as loud as that echo can be, by what was learned of the line (`Echo`).

All is counted in samples of the line, because media comes in bursts; silence that does not come is
told by the clock.
"""

from dataclasses import dataclass
from typing import Final

from agent.conversation.persona import Manner
from agent.conversation.speech import CallerSpeech, Utterance
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.voicing import Voicing

SPEECH_RMS = 184
"""-45 dBFS. A caller's voice is 15 dB above it, and what is heard behind it is mostly below."""


COUNTED_MS = 1_000
"""What is no speech by then is counted anew: in a long noise, stray frames are voiced."""

KEY_MS = 500
"""So long after a key, its tone may be in the media; Twilio mostly takes it out."""

OVER_MS = 240
"""So much quiet ends what is not speech for sure: the reply is to go on soon."""


@dataclass(frozen=True, slots=True)
class Onset:
    """What is told of as speech that may be.

    Args:
        lasts_ms: So much of it.
        voiced_ms: So much of that has a voice.
        bridged_ms: Longer quiet in it begins the count anew.
    """

    lasts_ms: int
    voiced_ms: int
    bridged_ms: int = OVER_MS


ONSETS: dict[Manner, Onset] = {
    "quick": Onset(40, 0),
    "patient": Onset(450, 120, bridged_ms=400),
}
"""Quick: two frames; a click has less. Patient: an "mhm" has less."""

STRICTER = Onset(140, 60)
"""`quick`, once it was fooled `FOOLED` times within `FOOLED_MS`, for the rest of the call, and in a
noise that goes on: a sound without a voice holds no reply."""

FOOLED, FOOLED_MS = 2, 60_000

VOICED_BY_MS, VOICED_MS = 260, 60
"""What has so little voice in it after so long is a cough or a noise; speech has more."""

SURE_MS, SURE_VOICED_MS = 600, 200
"""So much is speech for sure. An "mhm" is shorter, and coughs have less voice."""

SURELY_OVER_MS = 300
"""So much ends speech; pauses between words are shorter."""

GONE_MS = 1_000
"""When nothing at all has come for so long, what was said is over: some lines deliver nothing in
silence. Bursts come after shorter gaps."""

_BYTES_PER_MS: Final = 2 * PHONE_SAMPLES_PER_MS


class TalkOver:
    """Listens for one call.

    Args:
        manner: `quick` or `patient`.
    """

    def __init__(self, manner: Manner) -> None:
        self._onset = ONSETS[manner]
        self._voicing = Voicing()
        self._echo = Echo()
        self._told: CallerSpeech | None = None
        self._news: CallerSpeech | None = None
        self._fooled_ms: list[int] = []
        self._loud_at_ms = self._deaf_until_ms = 0
        self._over_agent = False
        # Of the utterance, in ms of the line:
        self._lasts_ms = self._voiced_ms = self._quiet_ms = 0.0
        self._alive = self._noise = self._in_vain = False

    def hears(
        self,
        pcm: bytes,
        now_ms: int,
        *,
        rms: int,
        least_rms: float,
        agent_rms: int,
        agent_heard: bool,
        lost_ms: float = 0.0,
    ) -> None:
        """Listen to a frame of the line.

        Args:
            pcm: PCM16, 8 kHz, mono; any length.
            now_ms: The time.
            rms: How loud it is.
            least_rms: What is softer is the line's noise, or somebody behind the caller.
            agent_rms: How loud the agent was at the caller's ear, at most, as far as it may come
                back now (`Overheard`); 0 for silence.
            agent_heard: Whether it is heard now.
            lost_ms: So much of the frame's beginning is silence in the place of what was lost.
        """
        if lost_ms and self._alive:
            self._lasts_ms += lost_ms
            self._quiet_ms += lost_ms
            self._judge()
        length_ms = len(pcm) / _BYTES_PER_MS - lost_ms
        loud = rms > max(SPEECH_RMS, least_rms, self._echo.least_rms(agent_rms))
        self._voicing.hears(pcm)
        if not self._alive:
            self._echo.hears(rms if rms > least_rms else 0, agent_rms, now_ms)
            if not loud or now_ms < self._deaf_until_ms:
                return
            self._begin(over_agent=agent_heard)
        elif not agent_heard:
            self._over_agent = False
        elif not self._over_agent:
            self._over_agent = True
            if self._told is not None and not self._in_vain:
                # Who spoke already when the agent began, talks over it, too.
                self._tell(Utterance.BEGAN, sure=False)
                return
        self._lasts_ms += length_ms
        if loud:
            self._quiet_ms, self._loud_at_ms = 0.0, now_ms
            self._voiced_ms += length_ms if self._voicing.voiced else 0.0
        else:
            self._quiet_ms += length_ms
        self._judge()

    def news(self, now_ms: int) -> CallerSpeech | None:
        """What is new; ask after each `hears`, and as time goes by."""
        if self._alive and now_ms - self._loud_at_ms > GONE_MS:
            self._end()
        news, self._news = self._news, None
        return news

    def held_in_vain(self, now_ms: int) -> None:
        """What was held is gone on with; what is said now, holds nothing again."""
        self._in_vain = self._alive
        self._fooled_ms = [at_ms for at_ms in self._fooled_ms if now_ms - at_ms <= FOOLED_MS]
        self._fooled_ms.append(now_ms)
        if len(self._fooled_ms) >= FOOLED and self._onset.lasts_ms < STRICTER.lasts_ms:
            self._onset = STRICTER

    def key_pressed(self, now_ms: int) -> None:
        """The caller has pressed a key, whose tone may be heard as well."""
        self._deaf_until_ms = now_ms + KEY_MS
        if self._alive and (self._told is None or not self._told.sure):
            self._end()

    def _begin(self, *, over_agent: bool) -> None:
        self._alive, self._noise, self._told = True, False, None
        self._in_vain = False
        self._count_anew()
        self._over_agent = over_agent

    def _count_anew(self) -> None:
        self._lasts_ms = self._voiced_ms = self._quiet_ms = 0.0

    def _judge(self) -> None:
        told = self._told
        onset = self._onset
        if self._noise and onset.lasts_ms < STRICTER.lasts_ms:
            onset = STRICTER
        bridged_ms = onset.bridged_ms
        if told is not None:
            bridged_ms = SURELY_OVER_MS if told.sure else OVER_MS
        if self._quiet_ms > bridged_ms:
            self._end()
            return
        lasts_ms = self._lasts_ms - self._quiet_ms
        if told is None:
            if lasts_ms >= onset.lasts_ms and self._voiced_ms >= onset.voiced_ms:
                self._tell(Utterance.BEGAN, sure=False)
            elif lasts_ms >= COUNTED_MS:
                self._count_anew()
        elif told.sure:
            pass
        elif lasts_ms >= SURE_MS and self._voiced_ms >= SURE_VOICED_MS:
            self._tell(Utterance.CONFIRMED, sure=True)
        elif (lasts_ms >= VOICED_BY_MS and self._voiced_ms < VOICED_MS) or lasts_ms >= COUNTED_MS:
            self._give_up()
            self._noise = True
            self._count_anew()

    def _tell(self, state: Utterance, *, sure: bool) -> None:
        self._told = self._news = CallerSpeech(state, sure=sure)

    def _give_up(self) -> None:
        """What was told of is no speech."""
        self._news, self._told = CallerSpeech(Utterance.ENDED, sure=False), None

    def _end(self) -> None:
        told, self._alive = self._told, False
        if told is None:
            return
        if told.sure:
            self._news, self._told = CallerSpeech(Utterance.ENDED, sure=True), None
        else:
            self._give_up()


class Echo:
    """Learns how much of the agent's voice comes back: the loudest of late, beside the agent."""

    UNKNOWN: Final = 0.07
    """-23 dB: what it may be before the line is known; with the margin, -17."""

    MOST: Final = 0.32
    """-10 dB. What is louder is somebody who speaks."""

    MARGIN: Final = 2.0
    """Speech is 6 dB above it."""

    AUDIBLE_RMS: Final = 184
    """-45 dBFS: of a softer agent nothing can be learned."""

    SPAN_MS: Final = 1_000
    """How much of the agent is needed to know it, and after twice as much it is forgotten."""

    def __init__(self) -> None:
        self._older: float = self.UNKNOWN
        self._recent = 0.0
        self._before = 0.0
        self._heard_ms = 0
        self._at_ms = 0

    def least_rms(self, agent_rms: int) -> float:
        """What is softer may be the echo of an agent who is so loud."""
        return max(self._older, self._recent) * agent_rms * self.MARGIN

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
            self._older, self._recent, self._heard_ms = self._recent, 0.0, 0
