"""One call of a tool: where it stands, what it gave, and who is told.

    called ─▶ intended ─stored─▶ running ─▶ done | failed
                 │                  ├──────▶ cancelled   nobody wants it any more
                 └──▶ failed        └──────▶ unknown     its worker died, or its answer was lost

Only what is not idempotent is intended first: it runs once the store has its intention. So another
worker finds it, and says that nobody knows what came of it: it never runs it again.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from agent.conversation.alike import alike
from agent.conversation.built_in_tools import COLLECT_DIGITS, SEND_DIGITS, SEND_SMS
from agent.conversation.declaration import Status, Tool, envelope, quoted
from agent.conversation.hints import LASTS, LATE

SAME_MS = 15_000
"""For so long after its result, the same call of a look-up gives the same result."""

SAME_ACT_MS = 120_000
"""The same for what is not idempotent."""

ENTERING = "entering"
"""What stands in the place of the result of a call for which the caller still types in secret."""

MASKED = "masked"
"""The same of an open call whose arguments hold a personal item, which is not kept: it cannot be
done again.
"""


class State(StrEnum):
    """Where a call stands."""

    INTENDED = "intended"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class ToolCall:
    """One call.

    Attributes:
        number: Counts the calls of a conversation, over all its workers, from 1.
        tool: What is called.
        arguments: As canonical JSON.
        called_ms: When it was called, in ms since the conversation was opened on this worker.
        state: Where it stands.
        result: The envelope for the model, once it is over.
        over_ms: When it was over, as `called_ms`.
        waiting: The sessions that called it, each with the id it gave, and have no result yet.
        answered: Those of `waiting` that were sent the result.
        sent_ms: When a session was given the result, in ms since the conversation began, or None.
        sent_to: The last session that was given it; 0 for none of this worker's.
        told: Whether the caller has heard a reply that was begun after that.
        filled: Whether the agent was asked to say something meanwhile.
        late: Whether the model was told that it takes longer.
        lasts: Whether it is an act of which the model was told that it still runs.
        typed: What the caller has typed for it so far.
        entering: Whether the caller is still to type something in secret before it runs.
    """

    number: int
    tool: Tool
    arguments: str
    called_ms: int
    state: State
    result: str = ""
    over_ms: int = 0
    waiting: list[tuple[int, str]] = field(default_factory=list)
    answered: list[tuple[int, str]] = field(default_factory=list)
    sent_ms: int | None = None
    sent_to: int = 0
    told: bool = False
    filled: bool = False
    late: bool = False
    lasts: bool = False
    typed: str = ""
    entering: bool = False

    @property
    def of_caller(self) -> bool:
        """Whether it is the caller who has to do something for it."""
        return self.entering or (self.open and self.tool.name == COLLECT_DIGITS)

    @property
    def meanwhile(self) -> str:
        """How it stands, for the model: it has not come to its end in time."""
        if self.lasts:
            return envelope(Status.UNKNOWN, hint=LASTS)
        return envelope(Status.TIMEOUT, hint=LATE)

    @property
    def open(self) -> bool:
        """Whether its result is still to come."""
        return self.state in {State.INTENDED, State.RUNNING}

    def ends(self, state: State, result: str, now_ms: int) -> None:
        """It is over."""
        self.state, self.result, self.over_ms = state, result, now_ms

    def may_have_had(self, arguments: str) -> bool:
        """Whether it has, or may have had, these arguments."""
        return self.arguments == arguments or (
            not self.tool.idempotent and alike(self.arguments, arguments)
        )

    def stands(self, now_ms: int) -> bool:
        """Whether an equal call is to get what this one gives."""
        match self.state:
            case State.INTENDED | State.RUNNING:
                return True
            case _ if self.tool.name == SEND_DIGITS:
                return False  # a menu may ask for the same key again
            case State.UNKNOWN:
                return True
            case State.DONE if self.tool.name == COLLECT_DIGITS:
                return False  # who asks again wants something else to be typed
            case State.DONE if self.tool.name == SEND_SMS:
                return True  # the same message is not sent twice in a call
            case State.DONE:
                within_ms = SAME_MS if self.tool.idempotent else SAME_ACT_MS
                return now_ms - self.over_ms < within_ms
            case State.FAILED | State.CANCELLED:
                return False

    def as_text(self) -> str:
        """What it was and what came of it, for a session that did not call it."""
        result = self.meanwhile if self.open else self.result
        return f"{self.tool.name}({quoted(self.arguments)}) gave {quoted(result)}"
