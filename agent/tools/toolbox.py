"""All tools of one agent, by name."""

import json
from collections.abc import Mapping
from typing import Protocol

from agent.conversation.declaration import Status
from agent.conversation.secret_digits import Digits
from agent.tools.outcome import BROKEN, Outcome
from agent.tools.web import WebTool

NOTHING_TYPED: Mapping[str, Digits] = {}


class Runnable(Protocol):
    """Something that a tool's name stands for."""

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Run it. Raises nothing; may be cancelled."""
        ...


class Toolbox:
    """The tools of an agent; the arguments that they get fit their declarations."""

    def __init__(self, tools: Mapping[str, Runnable]) -> None:
        self._tools = dict(tools)

    def with_tools(self, tools: Mapping[str, Runnable]) -> "Toolbox":
        """These tools too."""
        return Toolbox({**self._tools, **tools})

    async def run(
        self, name: str, arguments: str, typed: Mapping[str, Digits] = NOTHING_TYPED
    ) -> Outcome:
        """Run a tool.

        Args:
            name: Its name. It may be gone, after an edit of the persona's file.
            arguments: As JSON.
            typed: What the caller typed for it in secret, by parameter.
        """
        tool = self._tools.get(name)
        if tool is None:
            return Outcome(Status.ERROR, hint=BROKEN, problem="no such tool")
        if isinstance(tool, WebTool) and tool.secure:
            return await tool.run_with(typed, json.loads(arguments))
        return await tool.run(json.loads(arguments))


NO_TOOLS = Toolbox({})
