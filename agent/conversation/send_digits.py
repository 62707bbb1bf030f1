"""The agent presses keys, by the tool `send_digits`: for the menu of somebody whom it has called.

Keys cannot be sent on a stream. So the conversation ends here once that is stored, and what the
agent says now was heard; the line plays the keys, and the conversation goes on from its checkpoint.
Whoever speaks meanwhile, such as the menu, puts nothing off: it is not heard until then. Only words
that are being written down already have a second to come: nobody will write down the rest of them.
"""

from agent.conversation.commands import ConversationCommand
from agent.conversation.parting import Parting
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Transcript
from agent.conversation.turns import Floor

WORDS_WITHIN_MS = 8_000
"""How long what the agent says before may take to be heard."""

REST_WITHIN_MS = 1_000
"""How long the rest of what the other side said may take to be written down."""


class SendDigits:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        parting: Parting,
        replies: Replies,
        sessions: Sessions,
        transcript: Transcript,
    ) -> None:
        self._ledger, self._parting = ledger, parting
        self._replies, self._sessions, self._transcript = replies, sessions, transcript
        self._until_ms: int | None = None
        """Until when the words may take; None before the step is stored."""
        self._ready_ms: int | None = None
        """Since when only the rest of the other side's words is waited for."""
        self._rest_by_ms: int | None = None
        """Until when it is."""

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        if self._ledger.sends is None:
            return None
        return self._until_ms if self._rest_by_ms is None else self._rest_by_ms

    def wanted(self) -> None:
        """The model asks for it."""
        self._until_ms = self._ready_ms = None

    def stored(self, now_ms: int) -> None:
        """It is stored: whoever is asked what to do with the line carries it out."""
        self._until_ms = now_ms + WORDS_WITHIN_MS

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Leave the line to the keys, if that is due."""
        self._rest_by_ms = None
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
        if self._ready_ms is None:
            self._ready_ms = now_ms
        rest_by_ms = self._transcript.rest_by_ms
        if rest_by_ms is not None:
            rest_by_ms = min(rest_by_ms, self._ready_ms + REST_WITHIN_MS)
            if now_ms < rest_by_ms:
                self._rest_by_ms = rest_by_ms
                return []
        self._until_ms = None
        return self._parting.lets_go()
