"""What is told of tools: by the model that calls them, and by those who run them and store it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool. `arguments` is a JSON object with its keys sorted."""

    session: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallsCancelled:
    """The model takes back these calls: the caller talked over it. It wants no result of them."""

    session: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool that `commands.RunTool` named has run.

    Args:
        call: The number of its call.
        status: `declaration.Status`: how it went.
        data: What came of it, as JSON of at most `declaration.MAX_RESULT_CHARS` characters.
        retryable: Whether it may go better another time.
        hint: What the model should know about it, or "".
    """

    call: int
    status: str
    data: str = "null"
    retryable: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ActsStored:
    """The store has a checkpoint that holds all tool calls up to number `up_to`."""

    up_to: int


ToolCallEvent = ToolCalled | ToolCallsCancelled
"""What the model tells."""

ToolOutcome = ToolFinished | ActsStored
"""What those tell who run tools, and who store what is about to run."""

ToolEvent = ToolCallEvent | ToolOutcome
