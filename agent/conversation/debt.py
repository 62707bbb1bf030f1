"""What the agent owes the caller, kept in one place.

    greeting   until the caller has heard 300 ms of it, or of any later reply; its end, if it broke
               off with an earlier worker, and the caller has said nothing
    rest       of a reply whose session was left in the middle, until it is continued
    answer     if the caller was heard since the last turn that the model answered, or an earlier
               worker left a question open, as its last line or its checkpoint tells
    asked      if we asked for a reply by a text, and nothing of it can be heard yet

The waiting sounds, nudges, renewals, hand-overs and the first text to a new session depend on it.
"""

from collections.abc import Sequence

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.onset import WORD_MS, Onset
from agent.conversation.reply import Reply
from agent.conversation.transcript import Line

GREETED_AFTER_MS = 300
"""The greeting counts as given once this much of it, or of any later reply, was heard."""

QUESTION_MS = 600
"""A shorter sound, of which the model tells nothing, may be a cough or an "mhm"."""

WORDLESS_LIMIT_MS = 30_000
"""Of what was heard so long ago and never written down, the next worker asks nothing."""


class Debt:
    """One conversation's, over all its sessions.

    Args:
        onset: When the caller was heard.
        lines: What earlier workers wrote.
        left: What an earlier worker owed, where the lines do not tell, or None.
        elapsed_ms: How long the call has lasted.
        greeted: Whether the greeting counts as given.
        wordless: Whether it was heard and is over, though it is no line.

    Attributes:
        greeted: As above.
        rest: Whether the rest of a reply is owed.
        greeting_left: Whether an earlier worker left the greeting unfinished.
        open_question: Whether an earlier worker left a question, or its answer, unfinished; or the
            model is still at one of which it has said something.
        asked: Whether the next reply is one that we asked for, not the caller.
        works: Whether a tool runs for the caller.
    """

    def __init__(
        self,
        onset: Onset,
        lines: Sequence[Line],
        left: Checkpoint | None = None,
        elapsed_ms: int = 0,
        *,
        greeted: bool,
        wordless: bool = False,
    ) -> None:
        self.greeted = greeted
        self.asked = self.works = False
        # A greeting of which something was heard is a line once it is over, if its words have come.
        broken_off = any(x.heard != x.text for x in lines[-1:]) or not (lines or wordless)
        asked = len(lines) > 1 or any(x.role == "caller" for x in lines)
        self.greeting_left = greeted and broken_off and not asked
        self.open_question = asked and (broken_off or lines[-1].role == "caller")
        self.rest = False
        if left is not None:
            lately = elapsed_ms - left.owed_ms <= WORDLESS_LIMIT_MS
            self.open_question |= left.owes_answer and (lately or bool(left.owed_words))
            self.rest = left.owes_rest
        self._onset = onset
        self._answered_ms = 0
        self._spoken_ms = 0.0
        """How much speech came since then. It is asked for at every step of a call."""
        self._told = self._half_answered = False

    @property
    def greeting_over(self) -> bool:
        """Whether nothing is owed of the greeting."""
        return self.greeted and not self.greeting_left

    @property
    def caller_waits(self) -> bool:
        """Whether a word of the caller may have been heard since the last answered turn."""
        return self._told or self._spoken_ms >= WORD_MS

    @property
    def sure(self) -> bool:
        """Whether something is owed for sure: we asked, the model told of a question, or more was
        heard than a cough or an "mhm".
        """
        return self.asked or self._told or self._spoken_ms >= QUESTION_MS

    @property
    def busy(self) -> bool:
        """Whether something is owed for sure, be it what a tool is run for."""
        return self.sure or self.works

    @property
    def owes(self) -> bool:
        """Whether anything is asked for, by the caller or by us, or is unfinished."""
        return self.asked or self.owes_answer or self.greeting_left

    @property
    def owes_answer(self) -> bool:
        """Whether the next worker would have to have something answered."""
        return self.caller_waits or self.open_question

    @property
    def told(self) -> bool:
        """Whether the model was asked for something, by its own word or by ours."""
        return self.asked or self._told

    def caller_spoke(self, now_ms: int, ms: float) -> bool:
        """So much speech of the caller came, and ended now. Returns whether more is owed by it."""
        before = self.caller_waits, self.sure
        self._onset.sounded(now_ms, ms)
        self._spoken_ms += ms
        # Who says something else does not want the rest of what was said before.
        self.rest &= self._spoken_ms < QUESTION_MS
        return (self.caller_waits, self.sure) != before

    def spoke_since(self, at_ms: int) -> bool:
        """Whether a word of the caller may have been heard since then."""
        return self._onset.sounded_since(at_ms) >= WORD_MS

    def unheard(self, reply: Reply | None) -> bool:
        """Whether nobody has heard a word of that reply, nor spoken since it began."""
        if reply is None or not reply.unheard:
            return False
        return not self._onset.sounded_since(reply.began_ms)

    def spoke_over(self, reply: Reply | None) -> bool:
        """Whether a word of the caller may have been heard since that reply began."""
        return reply is not None and self.spoke_since(reply.began_ms)

    def caller_finished(self) -> None:
        """The model told that the caller has finished."""
        self._told = True

    def thinks(self) -> None:
        """The model told that it still works on what was asked, whatever it has said of it."""
        self._half_answered |= not self.caller_waits
        self.open_question |= self._half_answered
        self._told = True

    def idle(self) -> bool:
        """It told that it is done. Returns whether it has said something of it."""
        said, self._half_answered = self._half_answered, False
        if said:
            self.open_question = self._told = False
        return said

    def heard(self, longest_ms: float) -> bool:
        """So much of a reply was heard. Returns whether the greeting counts as given by that."""
        if self.greeted or longest_ms < GREETED_AFTER_MS:
            return False
        self.greeted = True
        return True

    def answered(self, before_ms: int) -> None:
        """The model has answered what the caller said before then."""
        self._answered_ms = max(self._answered_ms, before_ms)
        self._spoken_ms = self._onset.sounded_since(self._answered_ms)
        self.open_question = self._told = self._half_answered = False
        self.greeting_left = False

    def more_is_wanted(self) -> None:
        """The model waits for the caller to go on: what was said so far is not owed an answer."""
        self._told = False
        self._spoken_ms = 0.0

    def left_in_the_middle(self) -> None:
        """A reply's session had to be left before all of it had come."""
        self.rest = True

    def ask(self) -> None:
        """We ask for a reply."""
        self.asked = True

    def session_left(self) -> None:
        """What was asked by a text was asked of a session that is gone."""
        self.asked = False

    def reply_sounds(self) -> None:
        """A reply can be heard, whatever it was asked by."""
        self.asked = self.rest = False

    def cut(self) -> None:
        """The caller talked over what was said: nobody wants the rest of it."""
        self.asked = self.rest = False
