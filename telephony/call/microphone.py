"""What comes from the caller, and the session that hears it.

What comes is put where it belongs in the caller's time (`gaps`), listened to (`ear`), kept until
it is answered (`unanswered`), and sent on (`uplink`). It never stops sending: some lines deliver
nothing while the caller is silent, and a model that hears nothing waits for the rest of a sentence.
A model that does not detect speech itself hears only what the ear takes for it (`activity`).
"""

from agent.conversation.commands import EndCallerAudio, MarkSpeech, SendCallerAudio
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking
from telephony.audio import g711
from telephony.audio.formats import PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.call.activity import Activity
from telephony.call.ear import Ear
from telephony.call.gaps import Gaps
from telephony.call.idling import Idling
from telephony.call.talk_over import TalkOver
from telephony.call.unanswered import Unanswered
from telephony.call.uplink import QUIET_CHUNK_MS, Uplink

FILL_AFTER_MS = 400
"""Media comes in bursts after gaps of up to 233 ms; a longer gap is filled with silence."""

FILL_AFTER_SOUND_MS = 700
"""But in the middle of a word it is late, unless this line delivers nothing in silence."""

QUIET_MS = 100
"""Words have closures; a longer silence is between them."""


type ForModel = SendCallerAudio | EndCallerAudio | MarkSpeech


class Microphone:
    """One caller's, over all streams of the call and all sessions of the model.

    Args:
        turns: Who detects speech, and which silence ends what the caller says.
        talk_over: Listens for a caller who talks over the agent; None if nobody does.

    Attributes:
        spoke_ms: How much speech the last media has brought.
    """

    def __init__(
        self, turns: TurnTaking = DEFAULT_TURNS, talk_over: TalkOver | None = None
    ) -> None:
        self._turns = turns
        self._activity = None if turns.detects else Activity(turns)
        self.ear = Ear(talk_over)
        self.spoke_ms = 0.0
        self.unanswered = Unanswered()
        self._uplink = Uplink()
        self._idling = Idling()
        self._gaps = Gaps(self._idling)
        self._session: int | None = None
        self._covered_ms = 0
        self._filling = self._hidden = False

    def started(self, now_ms: int) -> None:
        """A stream begins; its audio is due from now on."""
        self._cover(now_ms)
        self._gaps = Gaps(self._idling)

    def hears(
        self,
        ulaw: bytes,
        timestamp_ms: int,
        now_ms: int,
        agent_until_ms: int = 0,
        agent_rms: int = 0,
    ) -> list[ForModel]:
        """Caller audio came.

        Args:
            ulaw: µ-law, any length.
            timestamp_ms: Twilio's time of its first sample.
            now_ms: The time.
            agent_until_ms: Until when the agent is heard, of what it has been sent.
            agent_rms: How loud it was at the caller's ear (`Overheard`).
        """
        self._cover(now_ms)
        self.spoke_ms = 0.0
        if self._hidden:
            return []
        came = len(ulaw)
        missing = self._gaps.before(timestamp_ms, came)
        if missing is None:
            return []
        if missing:
            ulaw = ULAW_SILENCE * missing + ulaw
        pcm = g711.decode(ulaw)
        lost_ms = missing / PHONE_SAMPLES_PER_MS
        sound = self.ear.hears(pcm, now_ms, agent_until_ms, agent_rms, lost_ms=lost_ms)
        self.spoke_ms = self.ear.speech_ms
        self._idling.delivered(came, sound=sound)
        self.unanswered.keep(ulaw, now_ms, sound=sound, heard=self._session is not None)
        return self._send(pcm)

    def fill(self, now_ms: int) -> list[ForModel]:
        """If nothing has come for long, the model hears silence; due with `deadline_ms`."""
        deadline_ms = self.deadline_ms()
        if deadline_ms is None or now_ms < deadline_ms:
            return []
        silence = bytes(2 * (now_ms - self._covered_ms) * PHONE_SAMPLES_PER_MS)
        self._gaps.filled(len(silence) // 2)
        self._covered_ms = now_ms
        self._filling = True
        self.ear.hears(silence, now_ms)
        return self._send(silence)

    def deadline_ms(self) -> int | None:
        """When `fill` is due, if nothing comes before; None while no session listens."""
        if self._session is None or self._hidden:
            return None
        if self._filling:
            return self._covered_ms + QUIET_CHUNK_MS
        sound_ms = self.ear.sound_at_ms
        in_a_word = sound_ms > 0 and self._covered_ms - sound_ms < QUIET_MS
        late = in_a_word and not self._idling
        return self._covered_ms + (FILL_AFTER_SOUND_MS if late else FILL_AFTER_MS)

    def listens(self, session: int, now_ms: int) -> list[ForModel]:
        """A session listens from now on. Returns what it has to hear first."""
        self._session = session
        self._cover(now_ms)
        chunks = self._uplink.begin(g711.decode(self.unanswered.audio()))
        held: list[ForModel] = [SendCallerAudio(session, chunk, live=False) for chunk in chunks]
        if self._activity is not None:
            since_ms = self.unanswered.since_ms
            spoke = since_ms is not None and self.ear.spoke_since(since_ms)
            if not (self._activity.speaking or spoke):
                return []
            ended = [] if self._activity.speaking else [MarkSpeech(session, begins=False)]
            return [MarkSpeech(session, begins=True), *held, *ended]
        quiet_ms = now_ms - self.ear.sound_at_ms
        if self.unanswered.sounded and quiet_ms >= self._turns.silence_ms:
            held.append(EndCallerAudio(session))
        return held

    def hold(self) -> None:
        """No session listens."""
        self._session = None

    def hide(self) -> list[ForModel]:
        """Nobody hears the caller from now on: what they were saying ends here."""
        if self._hidden:
            return []
        self._hidden = True
        self._uplink.begin(b"")  # what waits to be sent is not sent any more
        session, activity = self._session, self._activity
        if activity is not None:
            self._activity = Activity(self._turns)
        if session is None:
            return []
        if activity is not None:
            return [MarkSpeech(session, begins=False)] if activity.speaking else []
        return [EndCallerAudio(session)]

    def show(self, now_ms: int) -> None:
        """The caller is heard again."""
        self._hidden = False
        self.started(now_ms)

    def _cover(self, now_ms: int) -> None:
        self._covered_ms = now_ms
        self._filling = False

    def _send(self, pcm: bytes) -> list[ForModel]:
        if self._activity is not None:
            return self._send_speech(self._activity, pcm)
        if self._session is None:
            return []
        chunk = self._uplink.take(pcm, active=self.ear.active)
        return [] if chunk is None else [SendCallerAudio(self._session, chunk)]

    def _send_speech(self, activity: Activity, pcm: bytes) -> list[ForModel]:
        session, spoke = self._session, activity.speaking
        begins = activity.hears(pcm, speech=self.ear.speech_ms > 0)
        ends = activity.ends()
        if session is None:
            return []
        if begins:
            chunks = self._uplink.begin(activity.lead_in())
            said = [SendCallerAudio(session, chunk) for chunk in chunks]
            return [MarkSpeech(session, begins=True), *said]
        chunk = self._uplink.take(pcm, active=True) if spoke else None
        out: list[ForModel] = [] if chunk is None else [SendCallerAudio(session, chunk)]
        return [*out, MarkSpeech(session, begins=False)] if ends else out
