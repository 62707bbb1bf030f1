"""The agent presses keys, by the tool `send_digits`: for the menu of somebody whom it has called.

Keys cannot be sent on a stream. So the conversation ends here once that is stored, and what the
agent says now was heard; the line plays the keys, and the conversation goes on from its checkpoint.
Whoever speaks meanwhile, such as the menu, puts nothing off: it is not heard until then.
"""

from agent.conversation.commands import ConversationCommand
from agent.conversation.parting import Parting
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tools import Ledger
from agent.conversation.turns import Floor

WORDS_WITHIN_MS = 8_000
"""How long what the agent says before may take to be heard."""


class SendDigits:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self, ledger: Ledger, *, parting: Parting, replies: Replies, sessions: Sessions
    ) -> None:
        self._ledger, self._parting = ledger, parting
        self._replies, self._sessions = replies, sessions
        self._until_ms: int | None = None
        """Until when the words may take; None before the step is stored."""

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        return self._until_ms if self._ledger.sends is not None else None

    def wanted(self) -> None:
        """The model asks for it."""
        self._until_ms = None

    def stored(self, now_ms: int) -> None:
        """It is stored: whoever is asked what to do with the line carries it out."""
        self._until_ms = now_ms + WORDS_WITHIN_MS

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Leave the line to the keys, if that is due."""
        if (call := self._ledger.sends) is None:
            self._until_ms = None
            return []
        if self._until_ms is None or not self._sessions.attached:
            return []
        if self._replies.floor is Floor.AGENT and now_ms < self._until_ms:
            return []
        if any(each is not call and not each.lasts for each in self._ledger.running):
            self._until_ms = now_ms + WORDS_WITHIN_MS  # it comes to its end first
            return []
        self._until_ms = None
        return self._parting.lets_go()
