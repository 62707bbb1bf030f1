"""The turns of a conversation: the model's replies, the words of both sides, and barge-in.

A reply is numbered when its first piece comes, open until it was received whole, and playing until
it was heard to its end or cut. Its words come with its audio or a little apart, before or after.
"""

from collections.abc import Iterable
from typing import assert_never

from agent.conversation import commands, events
from agent.conversation.commands import ConversationCommand
from agent.conversation.debt import Debt
from agent.conversation.events import TurnEvent
from agent.conversation.liveness import SILENT_REPLY_MS, Liveness
from agent.conversation.seam import Silences, last_seam
from agent.conversation.sessions import Sessions
from agent.conversation.transcript import MODEL_BYTES_PER_MS, Line, Transcript
from agent.conversation.turns import TOLD_LATE_MS, Floor, Generation, Sign, Turns

SENT_AHEAD_MS = 1_000
"""How much of a reply may have been sent ahead of the ear, and cannot be taken back."""


class Replies:
    """What is said, over all sessions. What a method returns is to be carried out in that order."""

    def __init__(
        self, transcript: Transcript, sessions: Sessions, liveness: Liveness, debt: Debt
    ) -> None:
        self._debt = debt
        self._transcript = transcript
        self._sessions = sessions
        self._liveness = liveness
        self._turns = Turns()
        self._reply = 0
        self._early_text = ""
        self._lacks_question = False
        self._broken_off = False
        self._silences = Silences()
        self._playing: dict[int, float] = {}

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
        """Whether a reply is heard, or will be, that its session did not break off."""
        return bool(self._playing) and not self._broken_off

    @property
    def longest_heard_ms(self) -> float:
        """How much was heard of the reply of which most was, among those not finished."""
        return max(self._playing.values(), default=0)

    def deadline_ms(self) -> int | None:
        """When `expire` is due, or None."""
        return self._turns.deadline_ms()

    def expire(self, now_ms: int) -> None:
        """Time has passed."""
        self._turns.expire(now_ms)

    def step(self, event: TurnEvent, now_ms: int) -> list[ConversationCommand]:
        """Something came from the model."""
        match event:
            case events.ReplyAudio():
                return self._play(event.pcm, now_ms)
            case events.AgentSaid():
                self._note_agent(event.text)
                return []
            case events.CallerSaid():
                if self._debt.caller_waits and not self._turns.open:
                    self._liveness.caller_finished(now_ms)
                return self._note_caller(event.text, now_ms)
            case events.CallerActivityEnded():
                self._liveness.caller_finished(now_ms)
                return []
            case events.CallerActivityStarted():
                # While it generates, the server interrupts by itself.
                talked_over = not self._turns.generating and self._reply_is_older(now_ms)
                return self._barge_in(now_ms) if talked_over else []
            case events.Interrupted():
                out = self._barge_in(now_ms)
                self._turns.move(Sign.INTERRUPTED, now_ms)
                self._liveness.interrupted()
                return out
            case events.GenerationComplete():
                out = self.complete(now_ms)
                self._turns.move(Sign.GENERATION_DONE, now_ms)
                return out
            case events.TurnComplete():
                out = self.complete(now_ms)
                spoke = self.generation is not Generation.IDLE
                self._liveness.closed(event.reason, spoke=spoke)
                self._turns.move(Sign.TURN_DONE, now_ms)
                return out
            case _:
                assert_never(event)

    def heard(self, reply: int, ms: float) -> None:
        """So much of a reply has been heard so far."""
        if reply in self._playing:
            self._playing[reply] = max(self._playing[reply], ms)

    def is_playing(self, reply: int) -> bool:
        """Whether it was begun, and neither heard to its end nor cut."""
        return reply in self._playing

    def finish(self, reply: int) -> list[ConversationCommand]:
        """A playing reply will be heard no further."""
        heard_ms = self._playing.pop(reply)
        if reply == self._reply:
            self._broken_off = False
        return appended(self._transcript.finish_reply(reply, heard_ms))

    def break_off(self, now_ms: int) -> list[ConversationCommand]:
        """There is no session any more: nothing will be added to the open reply."""
        out: list[ConversationCommand] = []
        if self._transcript.is_open(self._reply):
            self._transcript.complete_reply(self._reply)
            self._broken_off = True
            out.append(commands.FinishReply(self._reply))
        self._turns.move(Sign.LOST, now_ms)
        return out

    def leave(self, now_ms: int) -> tuple[str, str, list[ConversationCommand]]:
        """End the reply that is being received between two words, for its session has to be left.

        Returns:
            What will be heard of it, what had come beyond that, and what is to be done.
        """
        received_ms = self._transcript.generated_ms(self._reply)
        after_ms = self._playing.get(self._reply, 0) + SENT_AHEAD_MS
        pieces = self._transcript.pieces(self._reply)
        at_ms, said = last_seam(pieces, self._silences, received_ms, after_ms)
        taken_back = "".join(piece for _, piece in pieces)[len(said) :]
        self._transcript.shorten(self._reply, at_ms, said)
        self._liveness.taken_back(received_ms - at_ms)
        return said, taken_back, self.complete(now_ms, at_ms)

    def complete(self, now_ms: int, length_ms: float | None = None) -> list[ConversationCommand]:
        """The open reply, if there is one, was received whole, or is taken as far as it came, or as
        far as `length_ms`.
        """
        out = self.settle_text(now_ms)
        if not self._transcript.is_open(self._reply):
            return out
        self._transcript.complete_reply(self._reply)
        out.append(commands.FinishReply(self._reply, length_ms))
        audible = (
            self._silences.sound or self._transcript.generated_ms(self._reply) < SILENT_REPLY_MS
        )
        self._liveness.replied(audible=audible)
        if not audible:
            return out + self.cut(now_ms)
        self._sessions.reply_completed()
        return out + self._answered()

    def settle_text(self, now_ms: int) -> list[ConversationCommand]:
        """Text that no audio followed: late words of the last reply, or a reply of words alone."""
        if not self._early_text.strip():
            self._early_text = ""
            return []
        if self._broken_off or self._transcript.began_ms(self._reply) is None:
            return self._begin_reply(now_ms)
        self._transcript.agent_said(self._reply, self._early_text)
        self._early_text = ""
        return []

    def cut(self, now_ms: int) -> list[ConversationCommand]:
        """No reply will be heard any further."""
        if not self._playing:
            return []
        out: list[ConversationCommand] = [commands.StopPlayback(self._reply)]
        self._liveness.cut(now_ms)
        self._debt.cut()
        for reply in sorted(self._playing):
            out += self.finish(reply)
        return out + self._sessions.checkpoint(now_ms)

    # The agent's side.

    def _play(self, pcm: bytes, now_ms: int) -> list[ConversationCommand]:
        if self._turns.dropping:
            return []
        out = self._begin_reply(now_ms)
        self._turns.move(Sign.AUDIO, now_ms)
        audio_ms = len(pcm) / MODEL_BYTES_PER_MS
        self._transcript.generated(self._reply, audio_ms)
        self._liveness.speaks(now_ms, audio_ms)
        self._silences.push(pcm)
        return [*out, commands.PlayReply(self._reply, pcm)]

    def _note_agent(self, text: str) -> None:
        if self._turns.dropping:
            return
        late = self.generation is Generation.COMPLETE and self._reply in self._playing
        if late or self._transcript.is_open(self._reply):
            self._transcript.agent_said(self._reply, text)
        else:
            # Of a reply whose audio follows, most often in the same message.
            self._early_text += text

    def _begin_reply(self, now_ms: int) -> list[ConversationCommand]:
        """Number a new reply, unless one is open."""
        if self._transcript.is_open(self._reply):
            return []
        out: list[ConversationCommand] = []
        if self._broken_off:
            # What was broken off is said anew by this reply.
            out += self.cut(now_ms)
        question = self._transcript.finish_caller()
        self._lacks_question = not question and not self._debt.asked
        out += appended(question)
        self._reply += 1
        self._playing[self._reply] = 0.0
        self._transcript.begin_reply(self._reply, now_ms)
        self._transcript.agent_said(self._reply, self._early_text)
        self._early_text = ""
        self._silences = Silences()
        self._sessions.reply_began()
        return out

    # The caller's side.

    def _note_caller(self, text: str, now_ms: int) -> list[ConversationCommand]:
        if not text.strip():
            return []
        began_ms = self._transcript.began_ms(self._reply)
        late = self._lacks_question and (self._turns.open or not self._reply_is_older(now_ms))
        if began_ms is not None and late:
            self._transcript.caller_said(text, began_ms)  # the words that are being answered
            return []
        # An open turn the server interrupts by itself; the reply of a closed one it believes heard.
        out = [] if self._turns.open else self._barge_in(now_ms)
        self._transcript.caller_said(text, now_ms)
        return out

    def _reply_is_older(self, now_ms: int) -> bool:
        """Whether the reply began before what the model tells now of the caller."""
        began_ms = self._transcript.began_ms(self._reply)
        return began_ms is not None and now_ms - began_ms > TOLD_LATE_MS

    def _answered(self) -> list[ConversationCommand]:
        began_ms = self._transcript.began_ms(self._reply)
        if began_ms is None:
            return []
        self._debt.answered(began_ms)
        self._transcript.answered_up_to(began_ms)
        return [commands.ReleaseCallerAudio(began_ms)]

    def _barge_in(self, now_ms: int) -> list[ConversationCommand]:
        """The caller talks over what is being generated or heard.

        Not over a reply that was broken off: what the model hears now is what was sent again.
        """
        if self._broken_off:
            return []
        out = self.settle_text(now_ms)
        if not self._playing:
            return out
        return out + self._answered() + self.cut(now_ms)


def appended(lines: Iterable[Line]) -> list[ConversationCommand]:
    """Have final lines stored."""
    return [commands.AppendLine(line) for line in lines]
