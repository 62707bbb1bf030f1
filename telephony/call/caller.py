"""The caller at the other end of the line: what comes from them, and what they hear.

It is where a conversation's commands about them are carried out. A command that concerns somebody
else too, such as that nobody may see the keys that are pressed, is passed on.
"""

from collections.abc import Sequence
from typing import assert_never

from agent.conversation import listener_commands as asked
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.listener_commands import ListenerCommand
from agent.conversation.persona import Persona
from agent.conversation.speech import CallerSpeech
from telephony.audio.earcon import EARCON
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, Command, MeasureReply, MeasureSpeech
from telephony.call.microphone import Microphone
from telephony.call.overheard import Overheard
from telephony.call.player import Player
from telephony.call.talk_over import ONSETS, TalkOver
from telephony.call.utterance import Utterance
from telephony.call.waiting import Waiting
from telephony.twilio.messages import Media


class Caller:
    """One call's, over all its streams. What a method returns is to be carried out in that order.

    Attributes:
        player: What they hear of the agent.
        talk_over: Listens for whether they talk over it; None if the model does.
    """

    def __init__(self, persona: Persona) -> None:
        manner, turns = persona.barge_in, persona.turn_taking
        self.talk_over = TalkOver(manner) if manner in ONSETS else None
        self.player = Player(None if self.talk_over is None else Overheard())
        self._microphone = Microphone(turns, self.talk_over)
        self._waiting = Waiting(turns)
        self._utterance = Utterance()
        self._newest_reply = NO_REPLY
        self._silence_ms = turns.silence_ms

    def started(self, stream_sid: str, now_ms: int) -> None:
        """A stream is here."""
        self.player.started(stream_sid)
        self._microphone.started(now_ms)
        self._waiting.started(now_ms)

    def deadline_ms(self) -> int | None:
        """When there is something to play, to hear or to give up, while there is a stream."""
        playing_ms = None if self.player.empty else self.player.deadline_ms()
        return earliest(playing_ms, self._waiting.due_ms, self._microphone.deadline_ms())

    # What comes from them.

    @property
    def spoke_ms(self) -> float:
        """How much speech the last media has brought."""
        return self._microphone.spoke_ms

    @property
    def lost_ms(self) -> int:
        """How much of what they said no session has heard."""
        return self._microphone.unanswered.lost_samples // PHONE_SAMPLES_PER_MS

    def says(self, media: Media, now_ms: int) -> Sequence[Command]:
        """Something comes from them, and goes to the model."""
        until_ms, rms = self.player.heard_until_ms(), self.player.loudest(now_ms)
        out = self._microphone.hears(media.payload, media.timestamp_ms, now_ms, until_ms, rms)
        if self._microphone.spoke_ms:
            self._utterance.goes_on(self._microphone.spoke_ms, now_ms)
        elif self._utterance.over(now_ms):
            return [*out, *self._utterance.take()]
        return out

    def says_nothing(self, now_ms: int) -> Sequence[Command]:
        """Nothing has come for a while; the model hears silence, where that is due."""
        said = self._utterance.take() if self._utterance.over(now_ms) else []
        return [*self._microphone.fill(now_ms), *said]

    def spoken(self) -> Sequence[MeasureSpeech]:
        """What they have said and nobody who measures was told of."""
        return self._utterance.take()

    def presses_key(self, now_ms: int) -> None:
        """What is heard of a key is no speech."""
        if self.talk_over is not None:
            self.talk_over.key_pressed(now_ms)

    def news(self, now_ms: int) -> CallerSpeech | None:
        """What the ear has found out about their speech, if it has."""
        return None if self.talk_over is None else self.talk_over.news(now_ms)

    def may_speak(self, now_ms: int) -> bool:
        """Whether they spoke so lately that they may go on."""
        return self._microphone.ear.spoke_since(now_ms - self._silence_ms + 1)

    # What is done for them.

    @property
    def dropped_ms(self) -> int:
        """How much of the agent's speech went beyond what is kept."""
        return self.player.dropped_samples // PHONE_SAMPLES_PER_MS

    def keep_company(self, debt: Debt, deaf_ms: int | None, now_ms: int) -> Sequence[Command]:
        """Let them hear something if they wait.

        Args:
            debt: What they are owed.
            deaf_ms: Since when no session listens; None while one does.
            now_ms: The time.
        """
        heard, spoke_at_ms = self.player.speaks(now_ms), self._microphone.ear.speech_at_ms
        if self._waiting.look(now_ms, spoke_at_ms, deaf_ms, debt, agent_heard=heard):
            return self.player.play_aside(EARCON, now_ms)
        return []

    def hears(self, said: asked.PlayReply) -> Sequence[Command]:
        """They are to hear more of a reply. Returns what is to be measured when it begins."""
        self.player.add(said.reply, said.pcm)
        if said.reply <= self._newest_reply:
            return []
        self._newest_reply = said.reply
        return [*self.spoken(), MeasureReply(said.reply)]

    def carry_out(self, wish: ListenerCommand, now_ms: int) -> Sequence[Command]:
        """Do what the conversation asks for. Returns what others have to do for it."""
        match wish:
            case asked.GoOnPlayback():
                if self.talk_over is not None:
                    self.talk_over.held_in_vain(now_ms)
                return [*self.spoken(), *self.player.does(wish, now_ms)]
            case asked.ResumeCallerAudio():
                return self._microphone.listens(wish.session, now_ms)
            case asked.HoldCallerAudio():
                self._microphone.hold()
            case asked.ReleaseCallerAudio():
                self._microphone.unanswered.answered(wish.before_ms)
            case asked.HideCaller():
                return [*self._microphone.hide(), wish]
            case asked.ShowCaller():
                self._microphone.show(now_ms)
                return [wish]
            case asked.ForgetKeys():
                return [wish]
            case _ if isinstance(wish, asked.PlayerCommand):
                return self.player.does(wish, now_ms)
            case _:
                assert_never(wish)
        return []
