"""From one session to the next: what is kept of a reply that comes, and whether anybody is dialled.

The session that ends is left, what it has told becomes final, and another is dialled at once or
after a pause; where there is none to be had, the conversation is given up.
"""

from agent.conversation.commands import ConversationCommand, GiveUp, appended
from agent.conversation.debt import Debt
from agent.conversation.liveness import Liveness
from agent.conversation.playing import Playing
from agent.conversation.replies import Replies
from agent.conversation.resumption import Attempt
from agent.conversation.sessions import Sessions
from agent.conversation.sieve import Sieve
from agent.conversation.transcript import Transcript
from agent.conversation.turns import Generation


class Changeover:
    """One conversation's. What a method returns is to be carried out in that order."""

    def __init__(
        self,
        *,
        transcript: Transcript,
        sessions: Sessions,
        replies: Replies,
        playing: Playing,
        liveness: Liveness,
        debt: Debt,
        sieve: Sieve,
    ) -> None:
        self._transcript, self._sessions, self._replies = transcript, sessions, replies
        self._playing, self._liveness, self._debt, self._sieve = playing, liveness, debt, sieve

    def renew_when_due(self, now_ms: int) -> list[ConversationCommand]:
        """Leave a session that its server is about to end, in a pause or at the latest moment."""
        owed = self._debt.caller_waits or self._debt.asked or self._debt.works
        pause = self._replies.generation is Generation.IDLE and not owed and not self._playing.hold
        if not self._sessions.renewal_is_due(now_ms, pause=pause):
            return []
        return self.keep_half(now_ms) + self.go_on(self._sessions.renewed(), now_ms)

    def keep_half(self, now_ms: int) -> list[ConversationCommand]:
        """The session ends while a reply comes: what came of it stays, the question is not asked
        again, and the next session is asked for the rest.
        """
        if (left := self._replies.leave()) is None:
            return []
        said, taken_back, out = left
        self._sieve.left(said, taken_back)
        self._debt.left_in_the_middle()
        return out + self._sessions.checkpoint(now_ms)

    def go_on(
        self, then: Attempt | GiveUp, now_ms: int, trouble: str = ""
    ) -> list[ConversationCommand]:
        """Go on with another session, or give up where there is none to be had."""
        out = self._replies.settle_text(now_ms) + self.hang_up(now_ms, trouble)
        out += appended(self._transcript.finish_caller())
        self._transcript.expect_repetition()
        return [*out, then] if isinstance(then, GiveUp) else out + self._sessions.dial(then, now_ms)

    def hang_up(self, now_ms: int, trouble: str = "") -> list[ConversationCommand]:
        """Leave the session, and break its reply off; `trouble` as in `CloseModel`."""
        self._liveness.stopped()
        self._sieve.stopped()
        return self._sessions.leave(now_ms, trouble) + self._replies.break_off(now_ms)
