"""Runs the tools of one call, each in a task of its own, and tells the call what came of them."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from agent.conversation.commands import CancelTool, RunTool
from agent.conversation.secret_digits import Digits
from agent.conversation.tool_events import ToolFinished
from agent.tools.toolbox import Toolbox

LAST_ACTS_S = 10.0
"""How long what still runs may take when the call is over: it may be a booking."""

log = structlog.get_logger(__name__)


class ToolRunner:
    """The tools of one call that run now.

    Args:
        toolbox: What can be run.
        call_sid: For the log.
    """

    def __init__(self, toolbox: Toolbox, call_sid: str) -> None:
        self._toolbox, self._call_sid = toolbox, call_sid
        self._running: dict[int, asyncio.Task[None]] = {}

    def begin(
        self,
        command: RunTool,
        typed: Mapping[str, Digits],
        tasks: asyncio.TaskGroup,
        feed: Callable[[ToolFinished], None],
    ) -> None:
        """Run a tool; `feed` takes its outcome.

        Args:
            command: Which one.
            typed: What the caller typed for it in secret.
            tasks: Where it runs.
            feed: What takes its outcome.
        """
        task = tasks.create_task(self._run(command, typed, feed), name=f"tool {command.name}")
        self._running[command.call] = task
        task.add_done_callback(lambda _: self._running.pop(command.call, None))

    def cancel(self, command: CancelTool) -> None:
        """Stop a tool, or no longer wait for it."""
        if (task := self._running.get(command.call)) is not None:
            task.cancel()

    async def finish(self) -> None:
        """The call is over: let what still runs come to its end, or stop it."""
        if running := list(self._running.values()):
            _, unfinished = await asyncio.wait(running, timeout=LAST_ACTS_S)
            for task in unfinished:
                task.cancel()

    async def _run(
        self,
        command: RunTool,
        typed: Mapping[str, Digits],
        feed: Callable[[ToolFinished], None],
    ) -> None:
        outcome = await self._toolbox.run(command.name, command.arguments, typed)
        if outcome.problem:
            log.warning(
                "tool failed", call_sid=self._call_sid, tool=command.name, problem=outcome.problem
            )
        feed(
            ToolFinished(
                command.call, outcome.status, outcome.data, outcome.retryable, outcome.hint
            )
        )
