"""Python functions as tools."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, overload

from agent.conversation.declaration import Status
from agent.tools.outcome import BROKEN, PERHAPS_DONE, Outcome, outcome_of
from agent.tools.threads import TooMany, in_thread

IDEMPOTENT = "offhook_idempotent"
"""The attribute that `tool` sets."""


class ToolError(Exception):
    """Raise this in a tool to tell the model what went wrong.

    Args:
        message: What the model is told.
        retryable: Whether it may go better another time.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable


@overload
def tool[F: Callable[..., Any]](function: F) -> F: ...
@overload
def tool[F: Callable[..., Any]](*, idempotent: bool) -> Callable[[F], F]: ...
def tool[F: Callable[..., Any]](
    function: F | None = None, *, idempotent: bool = False
) -> F | Callable[[F], F]:
    """Mark a function as a tool. Its parameters need types; its docstring tells the model its use.

    Args:
        function: The function, plain or `async`.
        idempotent: Whether it may run twice without harm, such as a look-up. What is not is run
            once the store has its intention, and never again.
    """

    def mark(function: F) -> F:
        setattr(function, IDEMPOTENT, idempotent)
        return function

    return mark if function is None else mark(function)


def is_idempotent(function: Callable[..., Any]) -> bool:
    """Whether a function may run twice; False for one that does not say so."""
    return bool(getattr(function, IDEMPOTENT, False))


class FunctionTool:
    """A function that can be run. It is called in a thread, unless it is `async`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Call it. Whatever it raises becomes an outcome."""
        function = self._function
        try:
            if not inspect.iscoroutinefunction(function):
                return await in_thread(lambda: outcome_of(function(**arguments)))
            return await self._read(await function(**arguments))
        except ToolError as error:
            return Outcome(Status.ERROR, retryable=error.retryable, hint=error.message)
        except TooMany:
            return Outcome(Status.ERROR, retryable=True, hint=BROKEN, problem="too many threads")
        except Exception as error:  # noqa: BLE001 - anybody's function; the call goes on
            again = is_idempotent(function)
            return Outcome(Status.ERROR, retryable=again, hint=BROKEN, problem=_where(error))

    async def _read(self, value: object) -> Outcome:
        """The outcome of a function that has run, and must not run again for want of a thread."""
        try:
            return await in_thread(lambda: outcome_of(value))
        except TooMany:
            if is_idempotent(self._function):
                raise
            problem = "too many threads to read its answer"
            return Outcome(Status.UNKNOWN, hint=PERHAPS_DONE, problem=problem)


def _where(error: Exception) -> str:
    """The kind and the place of an error; its text may hold anybody's words."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" in {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"
    return f"{type(error).__name__}{place}"
