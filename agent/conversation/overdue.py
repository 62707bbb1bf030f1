"""What is due about a tool call that is still open, and when. Pure."""

from enum import Enum, auto

from agent.conversation.built_in_tools import SEND_DIGITS, TRANSFER
from agent.conversation.deadlines import earliest
from agent.conversation.tool_call import State, ToolCall

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
