"""The turns of a conversation: the replies of the model, and the words of both sides.

A reply is numbered when its first piece comes, open until it was received whole, and playing until
it was heard to its end or cut. Its words come with its audio or a little apart, before or after.
"""

from typing import assert_never

from agent.conversation import barge_in, commands, events
from agent.conversation.barge_in import Evidence, Verdict
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.events import TurnEvent
from agent.conversation.liveness import MORE_INPUT_REASON, Liveness
from agent.conversation.playing import Playing
from agent.conversation.reply import SILENT_REPLY_MS, Reply, State
from agent.conversation.sessions import Sessions
from agent.conversation.speech import CallerSpeech
from agent.conversation.transcript import UNWRITTEN, Transcript, ends_sentence
from agent.conversation.turns import Floor, Generation, Sign, Turns


class Replies:
    """What is said, over all sessions. What a method returns is to be carried out in that order.

    Attributes:
        talked_over: Whether the caller talked over the newest reply, and it was cut.
    """

    def __init__(
        self,
        transcript: Transcript,
        sessions: Sessions,
        liveness: Liveness,
        debt: Debt,
        playing: Playing,
    ) -> None:
        self._debt, self._playing = debt, playing
        self._transcript, self._sessions, self._liveness = transcript, sessions, liveness
        self._turns = Turns()
        self._newest: Reply | None = None
        self._early_text = ""
        self._thought_taken_back = self.talked_over = False

    @property
    def generation(self) -> Generation:
        """What the model is doing."""
        return self._turns.generation

    @property
    def floor(self) -> Floor:
        """Who holds the floor."""
        return self._turns.floor(playing=bool(self._playing))

    @property
    def comes(self) -> bool:
        """Whether a reply is heard, or will be, that was not broken off."""
        return bool(self._playing) and not self._broken_off

    def deadline_ms(self) -> int | None:
        """When `expire` is due, or None."""
        return earliest(self._turns.deadline_ms(), self._playing.hold.deadline_ms())

    def expire(self, now_ms: int) -> list[ConversationCommand]:
        """Time has passed."""
        self._turns.expire(now_ms)
        return self._judge(Evidence.UNTOLD, now_ms) if self._playing.hold.expired(now_ms) else []

    def step(self, event: TurnEvent, now_ms: int) -> list[ConversationCommand]:
        """Something came from the model."""
        return self._step(event, now_ms) + self._judge_again(now_ms)

    def _step(self, event: TurnEvent, now_ms: int) -> list[ConversationCommand]:
        match event:
            case events.ReplyAudio():
                return self._play(event.pcm, now_ms)
            case events.AgentSaid():
                self._note_agent(event.text)
                return []
            case events.CallerSaid():
                if self._debt.caller_waits and not self._turns.open:
                    self._caller_finished(now_ms)
                return self._note_caller(event.text, now_ms)
            case events.CallerActivityEnded():
                return self._caller_finished(now_ms)
            case events.CallerActivityStarted():
                return self._judge(barge_in.of_activity(self._newest, now_ms), now_ms)
            case events.Interrupted():
                # Where nothing is said or heard, nothing that comes can be stale.
                stale = self.comes or self.generation is not Generation.IDLE
                out = self._judge(Evidence.INTERRUPTED, now_ms)
                if stale:
                    self._turns.move(Sign.INTERRUPTED, now_ms)
                self._thought_taken_back = True
                self._liveness.interrupted(
                    now_ms, owed=self._debt.unheard(self._newest) and self._debt.sure
                )
                return out
            case events.GenerationComplete():
                out = self.complete(now_ms)
                self._turns.move(Sign.GENERATION_DONE, now_ms)
                return out
            case events.TurnComplete():
                out = self.complete(now_ms)
                # What was interrupted while it was thought about is no empty turn.
                spoke = self.generation is not Generation.IDLE or self._thought_taken_back
                self._thought_taken_back = False
                self._turns.move(Sign.TURN_DONE, now_ms)
                if event.goes_on:
                    self._liveness.thinks(now_ms)
                    self._debt.thinks()
                    return out
                self._liveness.closed(event.reason, spoke=self._debt.idle() or spoke)
                if event.reason == MORE_INPUT_REASON:
                    self._debt.more_is_wanted()
                return out
            case _:
                assert_never(event)

    def break_off(self, now_ms: int) -> list[ConversationCommand]:
        """There is no session any more: nothing will be added to the open reply."""
        out: list[ConversationCommand] = []
        if (reply := self._receiving) is not None:
            reply.becomes(State.BROKEN_OFF)
            out.append(commands.FinishReply(reply.number))
        self._turns.move(Sign.LOST, now_ms)
        return out + self._judge_again(now_ms)

    def leave(self) -> tuple[str, str, list[ConversationCommand]] | None:
        """End the reply that is being received between two words, for its session ends.

        Returns:
            What is heard of it, what had come beyond, and what is to be done; None if no word is.
        """
        reply = self._receiving
        came_ms = reply.received_ms if reply is not None else 0
        if reply is None or self._playing.hold.sure or (left := reply.leave()) is None:
            return None
        if reply.lacks_question and self._debt.sure:  # nobody will write it down any more
            self._transcript.caller_said(UNWRITTEN, reply.began_ms)
        length_ms, said, taken_back = left
        self._playing.taken_back(came_ms - length_ms)
        reply.becomes(State.RECEIVED)
        finished = commands.FinishReply(reply.number, length_ms)
        return said, taken_back, [finished, *self._answered(reply)]

    def complete(self, now_ms: int) -> list[ConversationCommand]:
        """The open reply, if there is one, was received whole, or counts as it came."""
        out = self.settle_text(now_ms)
        if (reply := self._receiving) is None:
            return out
        reply.becomes(State.RECEIVED)
        out.append(commands.FinishReply(reply.number))
        silent = not reply.audible and (self._debt.owes or reply.received_ms >= SILENT_REPLY_MS)
        self._liveness.replied(audible=not silent)
        if silent:
            return out + self.cut(now_ms, still_wanted=True)
        self._sessions.reply_completed()
        return out + self._answered(reply)

    def settle_text(self, now_ms: int) -> list[ConversationCommand]:
        """Text that no audio followed: late words of the last reply, or a reply of words alone."""
        if self._early_text.strip():
            if self._broken_off or self._newest is None or self._newest.over:
                return self._begin_reply(now_ms)
            self._newest.say(self._early_text)
        self._early_text = ""
        return []

    def cut(
        self, now_ms: int, up_to: int | None = None, *, still_wanted: bool = False
    ) -> list[ConversationCommand]:
        """No reply up to this number is heard further; what was asked for may be `still_wanted`."""
        out = self._playing.stop(now_ms, up_to)
        if not out:
            return []
        if not still_wanted:
            self._debt.cut()
        return out + self._sessions.checkpoint(now_ms)

    @property
    def _receiving(self) -> Reply | None:
        """The reply of which more may come, if there is one."""
        return self._newest if self._newest is not None and self._newest.receiving else None

    @property
    def _broken_off(self) -> bool:
        """Whether the session of the newest reply is gone, and what came of it is still heard."""
        return self._newest is not None and self._newest.stands is State.BROKEN_OFF

    # The agent's side.

    def _play(self, pcm: bytes, now_ms: int) -> list[ConversationCommand]:
        if self._turns.dropping:
            return []
        out = self._begin_reply(now_ms)
        self._turns.move(Sign.AUDIO, now_ms)
        self._thought_taken_back = False
        if (reply := self._receiving) is None:
            return out
        new, audio_ms = not reply.audible, reply.add(pcm)
        if new and reply.audible:
            self._debt.reply_sounds()
            self._sessions.reply_sounds()
        self._playing.came(audio_ms, now_ms)
        self._liveness.speaks(now_ms, audible=reply.audible)
        return [*out, commands.PlayReply(reply.number, pcm)]

    def _note_agent(self, text: str) -> None:
        if self._turns.dropping:
            return
        newest = self._newest
        late = self.generation is Generation.COMPLETE and newest in self._playing
        if newest is not None and (late or newest.receiving):
            newest.say(text)
        else:  # of a reply whose audio follows, most often in the same message
            self._early_text += text

    def _begin_reply(self, now_ms: int) -> list[ConversationCommand]:
        """Number a new reply, unless one is open."""
        if self._receiving is not None:
            return []
        out = self.cut(now_ms) if self._broken_off else []  # it is said anew by this reply
        question = self._transcript.finish_question(now_ms)
        out += appended(question)
        number = 1 if self._newest is None else self._newest.number + 1
        reply = Reply(number, now_ms, lacks_question=not question and not self._debt.asked)
        self._newest, self.talked_over = reply, False
        self._playing.begin(reply)
        reply.say(self._early_text)
        self._early_text = ""
        self._sessions.reply_began()
        return out

    # The caller's side.

    def _note_caller(self, text: str, now_ms: int) -> list[ConversationCommand]:
        if not text.strip():
            return []
        newest = self._newest
        spoke = self._debt.spoke_over(newest)
        evidence = barge_in.of_words(newest, self.generation, now_ms, spoke=spoke)
        if evidence is Evidence.LATE_WORDS and newest is not None:
            self._transcript.caller_said(text, newest.began_ms)
            newest.lacks_question &= not ends_sentence(text)
            return self._owed(now_ms)
        out = self._judge(evidence, now_ms)
        self._transcript.caller_said(text, now_ms)
        return out + self._owed(now_ms)

    def _caller_finished(self, now_ms: int) -> list[ConversationCommand]:
        self._liveness.caller_finished(now_ms)
        self._debt.caller_finished()
        return self._owed(now_ms)

    def _owed(self, now_ms: int) -> list[ConversationCommand]:
        """Keep what another worker would have to have answered."""
        return self._sessions.checkpoint(now_ms) if self._debt.owes_answer else []

    def _answered(self, reply: Reply) -> list[ConversationCommand]:
        self._debt.answered(reply.began_ms)
        self._transcript.answered_up_to(reply.began_ms)
        return [commands.ReleaseCallerAudio(reply.began_ms)]

    # The caller talks over the agent.

    def hears(self, speech: CallerSpeech, now_ms: int) -> list[ConversationCommand]:
        """What the ear makes of the caller."""
        hold = self._playing.hold
        hold.hears(speech, now_ms)
        return self._judge(Evidence.SPEECH if hold.sure else barge_in.of_ear(speech), now_ms)

    def _judge(self, evidence: Evidence, now_ms: int) -> list[ConversationCommand]:
        """Do with what is heard what follows, if this tells that the caller talks over it."""
        reply, generation = self._newest, self.generation
        of_held = evidence in barge_in.OF_WHAT_IS_HELD
        if of_held and self._playing.held is not reply:
            reply, generation = self._playing.held, Generation.IDLE  # a later one has begun since
        match barge_in.verdict(evidence, reply, generation, spoke=self._debt.spoke_over(reply)):
            case Verdict.NOTHING:
                return []
            case Verdict.HOLD:
                return self._playing.pause(now_ms)
            case Verdict.GO_ON:
                return self._playing.go_on(now_ms)
            case Verdict.CUT:
                out = self.settle_text(now_ms)
                last = reply if of_held else self._newest
                if not self._playing or last is None:
                    return out
                if evidence is Evidence.INTERRUPTED and self._debt.unheard(last):
                    return out + self.cut(now_ms, still_wanted=True)  # what it answers is owed
                self.talked_over = last is self._newest
                return out + self._answered(last) + self.cut(now_ms, last.number)

    def _judge_again(self, now_ms: int) -> list[ConversationCommand]:
        """Judge what is held for speech, with what the server has told or not told since."""
        return self._judge(Evidence.SPEECH, now_ms) if self._playing.hold.sure else []
