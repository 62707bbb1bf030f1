"""The tools of a world: they take their time, and what was run stands here. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.conversation.commands import RunTool
from agent.conversation.declaration import Status
from agent.conversation.secret_digits import Digits
from agent.conversation.tool_events import ToolFinished
from agent.simulator.agenda import Agenda


@dataclass(frozen=True, slots=True)
class VirtualTool:
    """A tool that always gives the same.

    Args:
        data: What it gives, as JSON.
        takes_ms: How long it runs; what it does to the world happens at the end of that.
        status: How it goes.
    """

    data: str = "null"
    takes_ms: int = 300
    status: Status = Status.OK


@dataclass(slots=True)
class VirtualTools:
    """All tools of a world, over all its workers.

    Attributes:
        begun: What was run, in order.
        done: What came to its end, and so has done something to the world.
        typed: What each run of a tool got that was typed in secret, if it got anything.
    """

    tools: Mapping[str, VirtualTool]
    begun: list[RunTool] = field(default_factory=list)
    done: list[RunTool] = field(default_factory=list)
    typed: list[Mapping[str, Digits]] = field(default_factory=list)

    def begin(
        self,
        command: RunTool,
        typed: Mapping[str, Digits],
        now_ms: int,
        agenda: Agenda,
        wanted: Callable[[], bool],
        feed: Callable[[ToolFinished, int], None],
    ) -> None:
        """Run a tool; `feed` gets what came of it, if it is still `wanted` then."""
        tool = self.tools[command.name]
        self.begun.append(command)
        if typed:
            self.typed.append(typed)

        def end(at_ms: int) -> None:
            if wanted():
                self.done.append(command)
                feed(ToolFinished(command.call, tool.status, tool.data), at_ms)

        agenda.note(now_ms + tool.takes_ms, end)
