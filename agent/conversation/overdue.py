"""What is due about a tool call that is still open, and when: nobody waits for it unknowing.

a filler   nobody has heard anything for 1.2 s while it runs: the agent says `Tool.says`
late       it runs longer than `Tool.timeout_ms`: the model is told so, and of the result later
lasts      an act runs longer than 30 s: it is not stopped, and the model is told that it still runs
"""

from enum import Enum, auto

from agent.conversation.built_in_tools import SEND_DIGITS, TRANSFER
from agent.conversation.commands import CancelTool, ConversationCommand
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.declaration import Status, envelope
from agent.conversation.hints import NOT_STORED, WAITED
from agent.conversation.listener_commands import ForgetKeys
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tool_results import Results
from agent.conversation.tools import Ledger
from agent.conversation.turns import Floor

FILLER_AFTER_MS = 1_200
"""How long nothing may be heard while a tool runs."""

STORED_WITHIN_MS = 2_000
"""How long an act waits for the store, before it is left undone."""

OVER_AFTER_MS = 30_000
"""How long a look-up may run at all, and an act before its end is not waited for any more."""


class Due(Enum):
    """What is to be done about a call."""

    NOT_STORED = auto()
    """An act was not stored in time: it never runs."""
    GIVEN_UP = auto()
    """A look-up has run for too long: it is stopped."""
    LASTS = auto()
    """An act has run for so long that the model has to know: it runs on."""
    LATE = auto()
    """The model has to know that it takes longer."""
    FILLER = auto()
    """The caller has to hear something."""


def due_ms(call: ToolCall, silent_since_ms: int | None) -> int | None:
    """When something is due about a call, or None.

    Args:
        call: The call.
        silent_since_ms: Since when nobody is heard; None while the agent speaks, or cannot be asked
            to.
    """
    if call.of_caller:
        return None  # see `collect` and `secure_entries`
    if call.state is State.INTENDED:
        return call.called_ms + STORED_WITHIN_MS
    if call.tool.name in {TRANSFER, SEND_DIGITS}:
        return None  # it waits for nothing but the words before it: see `transfer`
    over_ms = None if call.lasts else call.called_ms + OVER_AFTER_MS
    late_ms = None if call.late else call.called_ms + call.tool.timeout_ms
    filler_ms = None
    if silent_since_ms is not None and not (call.filled or call.tool.blocking):
        filler_ms = max(call.called_ms, silent_since_ms) + FILLER_AFTER_MS
    return earliest(over_ms, late_ms, filler_ms)


def due(call: ToolCall, now_ms: int) -> Due:
    """What is due about a call for which `due_ms` has come."""
    ran_ms = now_ms - call.called_ms
    if call.state is State.INTENDED:
        return Due.NOT_STORED
    if ran_ms >= OVER_AFTER_MS and not call.lasts:
        return Due.GIVEN_UP if call.tool.idempotent else Due.LASTS
    if ran_ms >= call.tool.timeout_ms and not call.late:
        return Due.LATE
    return Due.FILLER


class Overdue:
    """One conversation's. Call `listen` and then `look` after every step of it.

    Args:
        ledger: The calls.
        results: Tells the model of them.
        sessions: The model's sessions.
        replies: Says whether the agent is heard.
        debt: Says whether the caller is.
        silence_ms: A caller who was heard since may still be speaking.
    """

    def __init__(
        self,
        ledger: Ledger,
        results: Results,
        *,
        sessions: Sessions,
        replies: Replies,
        debt: Debt,
        silence_ms: int,
    ) -> None:
        self._ledger, self._results, self._sessions = ledger, results, sessions
        self._replies, self._debt, self._silence_ms = replies, debt, silence_ms
        self._quiet_ms = 0

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        if not (running := self._ledger.running):
            return None
        silent_ms = self._silent_since_ms
        return earliest(*(due_ms(call, silent_ms) for call in running))

    def listen(self, now_ms: int) -> None:
        """Note whether somebody is heard."""
        heard = self._debt.spoke_since(now_ms - self._silence_ms)
        if self._replies.floor is Floor.AGENT or heard:
            self._quiet_ms = now_ms

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Say something, or give up, where that is due."""
        out: list[ConversationCommand] = []
        for call in self._ledger.running:
            at_ms = due_ms(call, self._silent_since_ms)
            if at_ms is not None and now_ms >= at_ms:
                out += self._do(call, now_ms)
        return out

    @property
    def _silent_since_ms(self) -> int | None:
        """Since when nobody is heard; None while the agent speaks, or cannot be asked to."""
        speaks = self._replies.floor is Floor.AGENT
        return self._quiet_ms if self._sessions.listening and not speaks else None

    def _do(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        match due(call, now_ms):
            case Due.NOT_STORED:
                call.ends(State.FAILED, envelope(Status.ERROR, hint=NOT_STORED), now_ms)
                forget = [ForgetKeys()] if call.tool.secure else []
                return forget + self._results.deliver(call, now_ms, "WHEN_IDLE")
            case Due.GIVEN_UP:
                call.ends(State.FAILED, envelope(Status.TIMEOUT, retryable=True), now_ms)
                return [CancelTool(call.number), *self._results.deliver(call, now_ms)]
            case Due.LASTS:
                call.lasts = call.late = call.filled = True
                return self._results.lasts(call, now_ms)
            case Due.LATE:
                call.late = call.filled = True
                return self._results.meanwhile(call, call.waiting, now_ms)
            case Due.FILLER:
                for each in self._ledger.running:
                    each.filled = True
                return self._sessions.say(WAITED, call.tool.says)
