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
from math import inf
from typing import Final

from agent.conversation.persona import Manner
from agent.conversation.speech import CallerSpeech, Utterance
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.voicing import Voicing
from telephony.call.echo import Echo

SPEECH_RMS = 184
"""-45 dBFS. A caller's voice is 15 dB above it, and what is heard behind it is mostly below."""


LEAD_IN = 0.7
"""-3 dB: so much softer may be what leads in."""

HOLE_MS = 40
"""So much quiet is between two syllables."""

SYLLABLE_MS = 40
"""A sound that is shorter is none: a click, or noise."""

COUNTED_MS = 1_000
"""What is no speech by then is counted anew: in a long noise, stray frames are voiced."""

KEY_MS = 500
"""So long after a key, its tone may be in the media; Twilio mostly takes it out."""

OVER_MS = 240
"""So much quiet ends what is not speech for sure: the reply is to go on soon. What `patient` has
held for is mostly speech, so there it may be a longer pause."""


@dataclass(frozen=True, slots=True)
class Onset:
    """What is told of as speech that may be.

    Args:
        lasts_ms: So much of it.
        voiced_ms: So much of that has a voice.
        bridged_ms: Longer quiet ends it, for as long as it is not speech for sure.
        again_ms: Or a syllable of it has begun so long after the first.
        lead_in_ms: So much that came just before it, and is 3 dB softer, is a part of it.
        end: So is what follows and is softer by this factor, but louder than the line.
    """

    lasts_ms: int
    voiced_ms: int
    bridged_ms: int = OVER_MS
    again_ms: float = inf
    lead_in_ms: int = 0
    end: float = 1.0


ONSETS: dict[Manner, Onset] = {
    "quick": Onset(40, 0),
    "patient": Onset(430, 140, bridged_ms=400, again_ms=300, lead_in_ms=60, end=0.5),
}
"""Quick: two frames; a click has less. Patient: 22 frames. An "mhm" of 400 ms is in 21, and its
second syllable begins sooner."""

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
        self._lasts_ms = self._voiced_ms = self._quiet_ms = self._syllable_ms = 0.0
        self._alive = self._noise = self._in_vain = False
        self._lead_in_ms = 0.0

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
        loud_rms = max(SPEECH_RMS, least_rms, self._echo.least_rms(agent_rms))
        self._voicing.hears(pcm)
        if not self._alive:
            self._echo.hears(rms if rms > least_rms else 0, agent_rms, now_ms)
            if rms <= loud_rms or now_ms < self._deaf_until_ms:
                leads_in = rms > LEAD_IN * loud_rms
                self._lead_in_ms = self._lead_in_ms + length_ms if leads_in else 0.0
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
        if not self._quiet_ms:
            loud_rms = max(least_rms, loud_rms * self._onset.end)
        self._count(length_ms, now_ms, loud=rms > loud_rms)
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
        self._lasts_ms, self._lead_in_ms = min(self._lead_in_ms, self._onset.lead_in_ms), 0.0
        self._over_agent = over_agent

    def _count_anew(self) -> None:
        self._lasts_ms = self._voiced_ms = self._quiet_ms = self._syllable_ms = 0.0

    def _count(self, length_ms: float, now_ms: int, *, loud: bool) -> None:
        self._lasts_ms += length_ms
        if not loud:
            self._quiet_ms += length_ms
            return
        if self._quiet_ms >= HOLE_MS:
            self._syllable_ms = self._lasts_ms - length_ms
        self._quiet_ms, self._loud_at_ms = 0.0, now_ms
        self._voiced_ms += length_ms if self._voicing.voiced else 0.0

    def _begins(self, onset: Onset) -> bool:
        """Whether what was counted is to be told of."""
        if self._voiced_ms < onset.voiced_ms:
            return False
        least_ms: float = onset.lasts_ms
        if self._syllable_ms >= onset.again_ms and not self._quiet_ms:
            least_ms = min(least_ms, self._syllable_ms + SYLLABLE_MS)
        return self._lasts_ms - self._quiet_ms >= least_ms

    def _judge(self) -> None:
        told = self._told
        onset = self._onset
        if self._noise and onset.lasts_ms < STRICTER.lasts_ms:
            onset = STRICTER
        sure = told is not None and told.sure
        if self._quiet_ms > (SURELY_OVER_MS if sure else onset.bridged_ms):
            self._end()
            return
        lasts_ms = self._lasts_ms - self._quiet_ms
        if told is None:
            if self._begins(onset):
                self._tell(Utterance.BEGAN, sure=False)
            elif lasts_ms >= COUNTED_MS:
                self._count_anew()
        elif told.sure:
            pass
        elif lasts_ms >= SURE_MS and self._voiced_ms >= SURE_VOICED_MS:
            self._echo.spoke()
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
