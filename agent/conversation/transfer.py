"""The agent puts the caller through, by the tool `transfer`: once that is stored, and the words
before it were heard.

says so, or has said so     the call has no result, which would make the model speak again
says nothing, and owes it   the model is asked for the words that its owner wrote
is talked over              the caller stays: the step is withdrawn, as the model was told before,
                            or is told now
waits after these words     for other tools, or the store: a caller who speaks then stays, too
other tools run             they come to their end first, or have run for 30 s
hangs up in the same words  the caller is put through, however long the store takes

The conversation then ends here, and somebody else has the line. If nobody could be reached, it goes
on from its checkpoint, and the ledger has what came of it as the result of the call.
"""

from agent.conversation.built_in_tools import TRANSFER
from agent.conversation.commands import ConversationCommand, SendToolResult
from agent.conversation.debt import Debt
from agent.conversation.declaration import Scheduling, Status, envelope
from agent.conversation.parting import Parting
from agent.conversation.persona import Persona, say_exactly
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tool_results import Results
from agent.conversation.tools import Ledger
from agent.conversation.turns import Floor, Generation

WORDS_WITHIN_MS = 8_000
"""How long the words before a transfer may take to be heard."""

GOES = (
    "The caller is put through after your next sentence. If they talk over it, they stay with you: "
    "answer them."
)
STAYED = "The caller spoke, and is not put through. Answer them."


class Transfer:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self,
        persona: Persona,
        ledger: Ledger,
        results: Results,
        *,
        parting: Parting,
        replies: Replies,
        sessions: Sessions,
        debt: Debt,
    ) -> None:
        self._says = {target.name: target.says for target in persona.transfers}
        self._ledger, self._results = ledger, results
        self._parting, self._replies = parting, replies
        self._sessions, self._debt = sessions, debt
        self._until_ms: int | None = None
        """Until when the words may take; None before the step is stored."""
        self._spoke = False
        self._waits_ms: int | None = None
        """Since when the words were heard and the caller can not be let go yet; None if they were
        not."""

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        waits = self._ledger.transfer is not None and self._sessions.attached and self._alone
        return self._until_ms if waits else None

    @property
    def _alone(self) -> bool:
        """Whether nothing else runs that the caller may still hear of."""
        return all(call.tool.name == TRANSFER or call.lasts for call in self._ledger.running)

    def wanted(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        """The model asks for it. Returns what makes it say so to the caller, if it has not."""
        self._until_ms = self._waits_ms = None
        self._spoke = self._replies.floor is Floor.AGENT
        if self._spoke or not (self._debt.caller_waits or self._debt.asked):
            return []
        self._results.expect_answer(now_ms)
        hint = say_exactly(GOES, self._says[self._ledger.target_of(call)])
        return self._answer(call, envelope(Status.OK, hint=hint), "WHEN_IDLE")

    def stored(self, now_ms: int) -> None:
        """It is stored: whoever is asked what to do with the line carries it out."""
        self._until_ms = now_ms + WORDS_WITHIN_MS

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Let the caller go, or keep them, if that is due."""
        if (call := self._ledger.transfer) is None:
            return []
        self._parting.stays()
        speaks = self._replies.floor is Floor.AGENT
        self._spoke |= speaks
        interrupted = self._replies.generation is Generation.DROPPING
        if self._spoke and (interrupted or self._replies.talked_over):
            return self._stay(call, now_ms)
        if self._until_ms is None or not self._sessions.attached or not self._alone:
            if self._until_ms is not None and self._sessions.attached:
                self._until_ms = now_ms + WORDS_WITHIN_MS
            return self._stay(call, now_ms) if self._changes_mind(now_ms) else []
        if (speaks or self._debt.asked) and now_ms < self._until_ms:
            return []
        return self._parting.lets_go()

    def _changes_mind(self, now_ms: int) -> bool:
        """Whether the caller speaks while the transfer waits, once its words were heard."""
        if self._replies.floor is Floor.AGENT or self._debt.asked or not self._spoke:
            self._waits_ms = None
            return False
        if self._waits_ms is None:
            self._waits_ms = now_ms
        return self._debt.caller_waits and self._debt.spoke_since(self._waits_ms)

    def _stay(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        result = envelope(Status.CANCELLED, hint=STAYED)
        out = self._answer(call, result, "SILENT")
        call.ends(State.CANCELLED, result, now_ms)
        call.told = True
        return out + self._sessions.checkpoint(now_ms)

    def _answer(
        self, call: ToolCall, result: str, scheduling: Scheduling
    ) -> list[ConversationCommand]:
        waiting, call.waiting = call.waiting, []
        return [
            SendToolResult(session, id_, TRANSFER, result, scheduling)
            for session, id_ in waiting
            if session == self._sessions.session
        ]
