"""The turns of a conversation: what the model tells of them, the caller's words, and barge-in.

A reply is open until it was received whole (`receiving`), and playing until it was heard to its end
or cut (`playing`).
"""

from typing import assert_never

from agent.conversation import barge_in, events
from agent.conversation.barge_in import Evidence, Verdict
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.events import TurnEvent
from agent.conversation.liveness import MORE_INPUT_REASON, Liveness
from agent.conversation.pieces import ends_sentence
from agent.conversation.playing import Playing
from agent.conversation.receiving import Receiving
from agent.conversation.sessions import Sessions
from agent.conversation.speech import CallerSpeech
from agent.conversation.transcript import Transcript
from agent.conversation.turns import Floor, Generation, Sign, Turns


class Replies:
    """What is said, over all sessions. What a method returns is to be carried out in that order."""

    def __init__(
        self,
        transcript: Transcript,
        sessions: Sessions,
        liveness: Liveness,
        debt: Debt,
        playing: Playing,
        *,
        heard_out: bool = False,
    ) -> None:
        self._heard_out = heard_out
        self._debt, self._playing = debt, playing
        self._transcript, self._sessions, self._liveness = transcript, sessions, liveness
        self._turns = Turns()
        self._receiving = Receiving(transcript, sessions, liveness, debt, playing, self._turns)
        self._thought_taken_back = False

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
        return bool(self._playing) and not self._receiving.broken_off

    @property
    def talked_over(self) -> bool:
        """Whether the caller talked over the newest reply, and it was cut."""
        newest = self._receiving.newest
        return newest is not None and newest.talked_over

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
                if not self._turns.dropping:
                    self._thought_taken_back = False
                return self._receiving.audio(event.pcm, now_ms)
            case events.AgentSaid():
                self._receiving.words(event.text)
                return []
            case events.CallerSaid():
                if self._debt.caller_waits and not self._turns.open:
                    self._caller_finished(now_ms)
                return self._note_caller(event.text, now_ms)
            case events.CallerActivityEnded():
                return self._caller_finished(now_ms)
            case events.CallerActivityStarted():
                return self._judge(barge_in.of_activity(self._receiving.newest, now_ms), now_ms)
            case events.Interrupted():
                # Where nothing is said or heard, nothing that comes can be stale.
                stale = self.comes or self.generation is not Generation.IDLE
                out = self._judge(Evidence.INTERRUPTED, now_ms)
                if stale:
                    self._turns.move(Sign.INTERRUPTED, now_ms)
                self._thought_taken_back = True
                self._liveness.interrupted(
                    now_ms, owed=self._debt.unheard(self._receiving.newest) and self._debt.sure
                )
                return out
            case events.GenerationComplete():
                out = self._receiving.complete(now_ms)
                self._turns.move(Sign.GENERATION_DONE, now_ms)
                return out
            case events.TurnComplete():
                out = self._receiving.complete(now_ms)
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
        out = self._receiving.break_off()
        self._turns.move(Sign.LOST, now_ms)
        return out + self._judge_again(now_ms)

    def leave(self) -> tuple[str, str, list[ConversationCommand]] | None:
        """End the open reply between two words, as `Receiving.leave`."""
        return self._receiving.leave()

    def settle_text(self, now_ms: int) -> list[ConversationCommand]:
        """Text that no audio followed: late words of the last reply, or a reply of words alone."""
        return self._receiving.settle_text(now_ms)

    def cut(self, now_ms: int) -> list[ConversationCommand]:
        """No reply is heard further."""
        return self._receiving.cut(now_ms)

    def typed_over(self, now_ms: int) -> list[ConversationCommand]:
        """The caller types what they were asked for: no reply is heard further."""
        newest = self._receiving.newest
        if newest is None or not self._playing:
            return []
        out = self._receiving.settle_text(now_ms)
        newest.talked_over = True
        out += self._receiving.answered(newest) + self._receiving.cut(now_ms)
        if self._turns.generating:
            self._turns.move(Sign.INTERRUPTED, now_ms)
        return out

    # The caller's side.

    def _note_caller(self, text: str, now_ms: int) -> list[ConversationCommand]:
        if not text.strip():
            return []
        newest = self._receiving.newest
        spoke = self._debt.spoke_over(newest)
        evidence = barge_in.of_words(newest, self.generation, now_ms, spoke=spoke)
        if evidence is Evidence.LATE_WORDS and newest is not None:
            self._transcript.caller_said(text, newest.began_ms, now_ms)
            newest.lacks_question &= not ends_sentence(text)
            return self._owed(now_ms)
        if out := self._judge(evidence, now_ms):  # another utterance than its question
            out += appended(self._transcript.settle())
        self._transcript.caller_said(text, now_ms)
        return out + self._owed(now_ms)

    def _caller_finished(self, now_ms: int) -> list[ConversationCommand]:
        self._liveness.caller_finished(now_ms)
        self._debt.caller_finished()
        return self._owed(now_ms)

    def _owed(self, now_ms: int) -> list[ConversationCommand]:
        """Keep what another worker would have to have answered."""
        return self._sessions.checkpoint(now_ms) if self._debt.owes_answer else []

    # The caller talks over the agent.

    def hears(self, speech: CallerSpeech, now_ms: int) -> list[ConversationCommand]:
        """What the ear makes of the caller."""
        hold = self._playing.hold
        hold.hears(speech, now_ms)
        return self._judge(Evidence.SPEECH if hold.sure else barge_in.of_ear(speech), now_ms)

    def _judge(self, evidence: Evidence, now_ms: int) -> list[ConversationCommand]:
        """Do with what is heard what follows, if this tells that the caller talks over it."""
        reply, generation = self._receiving.newest, self.generation
        of_held = evidence in barge_in.OF_WHAT_IS_HELD
        if of_held and self._playing.held is not reply:
            reply, generation = self._playing.held, Generation.IDLE  # a later one has begun since
        spoke = self._debt.spoke_over(reply)
        match barge_in.verdict(evidence, reply, generation, spoke=spoke, heard_out=self._heard_out):
            case Verdict.NOTHING:
                return []
            case Verdict.HOLD:
                return self._playing.pause(now_ms)
            case Verdict.GO_ON:
                return self._playing.go_on(now_ms)
            case Verdict.CUT:
                out = self._receiving.settle_text(now_ms)
                last = reply if of_held else self._receiving.newest
                if not self._playing or last is None:
                    return out
                if evidence is Evidence.INTERRUPTED and self._debt.unheard(last):
                    # What it answers is owed.
                    return out + self._receiving.cut(now_ms, still_wanted=True)
                last.talked_over = True
                answered = self._receiving.answered(last)
                return out + answered + self._receiving.cut(now_ms, last.number)

    def _judge_again(self, now_ms: int) -> list[ConversationCommand]:
        """Judge what is held for speech, with what the server has told or not told since."""
        return self._judge(Evidence.SPEECH, now_ms) if self._playing.hold.sure else []
