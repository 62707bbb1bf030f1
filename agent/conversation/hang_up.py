"""The agent ends the call, by the tool `end_call`: once its goodbye was heard.

the goodbye is heard, or to be    the call has no result, which would make the model speak again
nothing is said, something owed   the model is asked for a goodbye
nothing is said or owed           the goodbye was heard already
"""

from collections.abc import Set as AbstractSet

from agent.conversation.built_in_tools import END_CALL
from agent.conversation.commands import ConversationCommand, SendToolResult
from agent.conversation.debt import Debt
from agent.conversation.declaration import Status, envelope
from agent.conversation.parting import Parting
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tool_events import ToolCalled
from agent.conversation.turns import Floor, Generation

GOODBYE = "Say goodbye in one short sentence; the call ends after it."
STAYED = "The caller spoke, and the call goes on. Answer them."


class HangUp:
    """One conversation's; `Parting` brings it to its end."""

    def __init__(self, parting: Parting, replies: Replies, sessions: Sessions, debt: Debt) -> None:
        self._parting, self._replies = parting, replies
        self._sessions, self._debt = sessions, debt
        self._open: tuple[int, str] | None = None
        """The session and id of a call that has no result."""

    def wanted(self, called: ToolCalled, now_ms: int) -> bool:
        """The model calls `end_call`. Returns whether it is to be asked for a goodbye."""
        self._parting.hangs_up(now_ms)
        if self._replies.floor is Floor.AGENT:
            self._open = called.session, called.id
            return False
        return self._debt.caller_waits or self._debt.asked

    def asks_for_goodbye(self, called: ToolCalled) -> SendToolResult:
        """The result that makes the model say it."""
        result = envelope(Status.OK, hint=GOODBYE)
        return SendToolResult(called.session, called.id, END_CALL, result)

    def cancelled(self, gone: AbstractSet[tuple[int, str]]) -> None:
        """The model takes these calls back."""
        if self._open in gone:
            self._open = None
            self._parting.stays()

    def stay_if_interrupted(self) -> list[ConversationCommand]:
        """The caller who talks over the goodbye wants something else."""
        if self._open is None:
            return []
        interrupted = self._replies.generation is Generation.DROPPING
        if not (interrupted or self._replies.talked_over):
            return []
        (session, call_id), self._open = self._open, None
        self._parting.stays()
        if session != self._sessions.session:
            return []
        result = envelope(Status.CANCELLED, hint=STAYED)
        return [SendToolResult(session, call_id, END_CALL, result, "SILENT")]
