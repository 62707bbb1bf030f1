"""The reply that comes from the model: from its first piece until it is received, or is cut.

A reply is numbered when its first piece comes, and open until it was received whole. Its words come
with its audio or a little apart, before or after.
"""

from agent.conversation import listener_commands
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.debt import Debt
from agent.conversation.liveness import Liveness
from agent.conversation.pieces import ends_sentence
from agent.conversation.playing import Playing
from agent.conversation.reply import SILENT_REPLY_MS, Reply, State
from agent.conversation.sessions import Sessions
from agent.conversation.transcript import UNWRITTEN, Transcript
from agent.conversation.turns import Generation, Sign, Turns


class Receiving:
    """One conversation's. What a method returns is to be carried out in that order.

    Args:
        transcript: Gets the question when its answer begins.
        sessions: Whose reply it is.
        liveness: Is told what the model says.
        debt: What the caller is owed.
        playing: What is heard.
        turns: Where generation stands; `audio` moves it.

    Attributes:
        newest: The newest reply, whatever has become of it.
    """

    def __init__(
        self,
        transcript: Transcript,
        sessions: Sessions,
        liveness: Liveness,
        debt: Debt,
        playing: Playing,
        turns: Turns,
    ) -> None:
        self._debt, self._playing, self._turns = debt, playing, turns
        self._transcript, self._sessions, self._liveness = transcript, sessions, liveness
        self.newest: Reply | None = None
        self._early_text = ""

    @property
    def broken_off(self) -> bool:
        """Whether the session of the newest reply is gone, and what came of it is still heard."""
        return self.newest is not None and self.newest.stands is State.BROKEN_OFF

    def audio(self, pcm: bytes, now_ms: int) -> list[ConversationCommand]:
        """More of a reply came, or the first of one: PCM, int16 little-endian, mono, 24 kHz."""
        if self._turns.dropping:
            return []
        out = self._begin(now_ms)
        self._turns.move(Sign.AUDIO, now_ms)
        if (reply := self._open) is None:
            return out
        new, audio_ms = not reply.audible, reply.add(pcm)
        if new and reply.audible:
            self._debt.reply_sounds()
            self._sessions.reply_sounds()
        self._playing.came(audio_ms, now_ms)
        self._liveness.speaks(now_ms, audible=reply.audible)
        return [*out, listener_commands.PlayReply(reply.number, pcm)]

    def words(self, text: str) -> None:
        """Words of a reply came."""
        if self._turns.dropping:
            return
        newest = self.newest
        late = self._turns.generation is Generation.COMPLETE and newest in self._playing
        if newest is not None and (late or newest.receiving):
            newest.say(text)
        else:  # of a reply whose audio follows, most often in the same message
            self._early_text += text

    def settle_text(self, now_ms: int) -> list[ConversationCommand]:
        """Text that no audio followed: late words of the last reply, or a reply of words alone."""
        if self._early_text.strip():
            newest = self.newest
            if newest is None or self.broken_off or newest.over or newest.dropped:
                return self._begin(now_ms)
            newest.say(self._early_text)
        self._early_text = ""
        return []

    def complete(self, now_ms: int) -> list[ConversationCommand]:
        """The open reply, if there is one, was received whole, or counts as it came."""
        out = self.settle_text(now_ms)
        if (reply := self._open) is None:
            return out
        reply.becomes(State.RECEIVED)
        out.append(listener_commands.FinishReply(reply.number))
        silent = not reply.audible and (self._debt.owes or reply.received_ms >= SILENT_REPLY_MS)
        self._liveness.replied(audible=not silent)
        if silent:
            return out + self._drop_rest(reply, now_ms, still_wanted=True)
        self._sessions.reply_completed()
        return out + self.answered(reply)

    def break_off(self) -> list[ConversationCommand]:
        """Its session is gone: nothing will be added to the open reply."""
        if (reply := self._open) is None:
            return []
        reply.becomes(State.BROKEN_OFF)
        return [listener_commands.FinishReply(reply.number)]

    def leave(self) -> tuple[str, str, list[ConversationCommand]] | None:
        """End the open reply between two words, for its session ends.

        Returns:
            What is heard of it, what had come beyond, and what is to be done; None if no word is.
        """
        reply = self._open
        came_ms = reply.received_ms if reply is not None else 0
        if reply is None or self._playing.hold.sure or (left := reply.leave()) is None:
            return None
        if reply.lacks_question and self._debt.sure:  # nobody will write it down any more
            self._transcript.caller_said(UNWRITTEN, reply.began_ms)
        length_ms, said, taken_back = left
        self._playing.taken_back(came_ms - length_ms)
        reply.becomes(State.RECEIVED)
        finished = listener_commands.FinishReply(reply.number, length_ms)
        return said, taken_back, [finished, *self.answered(reply)]

    def cut(
        self, now_ms: int, up_to: int | None = None, *, still_wanted: bool = False
    ) -> list[ConversationCommand]:
        """No reply up to this number is heard further; what was asked for may be `still_wanted`."""
        return self._cut(self._playing.stop(now_ms, up_to), now_ms, still_wanted=still_wanted)

    def answered(self, reply: Reply) -> list[ConversationCommand]:
        """What the caller said before that reply is answered by it."""
        self._debt.answered(reply.began_ms)
        self._transcript.answered_up_to(reply.began_ms)
        return [listener_commands.ReleaseCallerAudio(reply.began_ms)]

    def _drop_rest(
        self, newest: Reply, now_ms: int, *, still_wanted: bool = False
    ) -> list[ConversationCommand]:
        """The same for the newest reply alone: what is heard before it is heard on."""
        dropped = self._playing.drop_rest(newest, now_ms)
        return self._cut(dropped, now_ms, still_wanted=still_wanted)

    def _cut(
        self, out: list[ConversationCommand], now_ms: int, *, still_wanted: bool
    ) -> list[ConversationCommand]:
        if not out:
            return []
        if not still_wanted:
            self._debt.cut()
        return out + self._sessions.checkpoint(now_ms)

    @property
    def _open(self) -> Reply | None:
        """The reply of which more may come, if there is one."""
        return self.newest if self.newest is not None and self.newest.receiving else None

    def _begin(self, now_ms: int) -> list[ConversationCommand]:
        """Number a new reply, unless one is open."""
        if self._open is not None:
            return []
        out: list[ConversationCommand] = []
        if self.newest is not None and self.broken_off:  # it is said anew by this reply
            out = self._drop_rest(self.newest, now_ms)
        question = self._transcript.finish_question(now_ms)
        out += appended(question)
        number = 1 if self.newest is None else self.newest.number + 1
        written = question or self._debt.asked or ends_sentence(self._transcript.open_words[0])
        reply = Reply(number, now_ms, lacks_question=not written)
        self.newest = reply
        self._playing.begin(reply)
        reply.say(self._early_text)
        self._early_text = ""
        self._sessions.reply_began()
        return out
