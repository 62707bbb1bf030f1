"""The MCP servers of this process: one connection to each, in a thread of their own.

The official client starts programs, and reads results of any length in one go; in a thread with its
own event loop none of that stops a call.

thread, its event loop   acquired: the first `use` that names a server; released: `aclose`
connections              acquired: `use`; released: `aclose`, or `LINGER_S` after the last use
"""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

from agent.conversation.declaration import Status
from agent.tools.mcp_server import NOT_ASKED, McpServer, McpTool, Standing
from agent.tools.outcome import BROKEN, Outcome

if TYPE_CHECKING:
    from agent.tools.mcp_connection import Connection

INSTALL = 'expected the package mcp, which is not installed; pip install "offhook[mcp]"'

LINGER_S = 3_600.0
"""A server that no persona file names any more is kept for calls that began before."""

CLOSE_WITHIN_S = 7.0
"""The client gives a program 2 s to end, 2 s more after a SIGTERM, and then it is killed."""


def is_installed() -> bool:
    """Whether the official client is installed."""
    return find_spec("mcp") is not None


@dataclass(slots=True)
class _Kept:
    """What is known of a server; the thread sets all of it."""

    standing: Standing = NOT_ASKED
    asked: Future[None] = field(default_factory=Future)
    connection: "Connection | None" = None


class McpCall:
    """A tool of an MCP server, as something that can be run."""

    def __init__(self, servers: "McpServers", tool: McpTool) -> None:
        self._servers, self._tool = servers, tool

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Call it. Raises nothing but what a cancellation raises."""
        tool = self._tool
        return await self._servers.call(
            tool.server, tool.its_name, arguments, idempotent=tool.declared.idempotent
        )


class McpServers:
    """See the module. Every method is called in one thread, that of the caller's event loop.

    Args:
        errors: Where the standard error of programs goes; None for nowhere.

    Attributes:
        version: Grows with each change of how a server stands.
    """

    def __init__(self, errors: TextIO | None = None) -> None:
        self.version = 0
        self._errors = errors
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._kept: dict[McpServer, _Kept] = {}
        self._used: frozenset[McpServer] = frozenset()
        self._tasks: dict[McpServer, asyncio.Task[None]] = {}
        self._leaving: dict[McpServer, asyncio.TimerHandle] = {}

    def use(self, servers: Iterable[McpServer]) -> None:
        """Keep connections to these servers from now on."""
        self._used = frozenset(servers)
        for server in self._used:
            self._kept.setdefault(server, _Kept())
        if self._loop is None and self._used:
            self._begin()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._settle, dict(self._kept), self._used)

    def standing(self, server: McpServer) -> Standing:
        """How a server stands."""
        return kept.standing if (kept := self._kept.get(server)) else NOT_ASKED

    def were_asked(self, servers: Iterable[McpServer]) -> bool:
        """Whether each of them was asked, and has answered or not."""
        known = map(self._kept.get, servers)
        return all(kept is not None and kept.asked.done() for kept in known)

    async def asked(self) -> None:
        """Wait until each server in use was asked, which takes a little more than
        `mcp_connection.CONNECT_WITHIN_S` at most.
        """
        waiting = [self._kept[server].asked for server in self._used]
        await asyncio.gather(*map(asyncio.wrap_future, waiting))

    async def call(
        self, server: McpServer, name: str, arguments: Mapping[str, object], *, idempotent: bool
    ) -> Outcome:
        """Call a tool. Raises nothing but what a cancellation raises."""
        kept, loop = self._kept.get(server), self._loop
        if kept is None or kept.connection is None or loop is None:
            problem = f"MCP server {server.name} is not used any more"
            return Outcome(Status.ERROR, hint=BROKEN, problem=problem)
        calling = kept.connection.call(name, arguments, idempotent=idempotent)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(calling, loop))

    async def aclose(self) -> None:
        """Close all connections, and end the programs. Calls that run are cancelled."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = None
        loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(thread.join, CLOSE_WITHIN_S)

    def _begin(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[ready], name="mcp", daemon=True)
        self._thread.start()
        ready.wait()

    # In the thread.

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            self._loop = runner.get_loop()
            runner.run(self._live(ready))

    async def _live(self, ready: threading.Event) -> None:
        async with asyncio.TaskGroup() as self._group:
            ready.set()
            await self._stop.wait()
            for timer in self._leaving.values():
                timer.cancel()
            for task in self._tasks.values():
                task.cancel()

    def _settle(self, kept: Mapping[McpServer, _Kept], used: frozenset[McpServer]) -> None:
        loop = asyncio.get_running_loop()
        for server in used:
            if (timer := self._leaving.pop(server, None)) is not None:
                timer.cancel()
            if server not in self._tasks:
                self._connect(server, kept[server])
        for server in self._tasks.keys() - used - self._leaving.keys():
            self._leaving[server] = loop.call_later(LINGER_S, self._leave, server, kept[server])

    def _connect(self, server: McpServer, kept: _Kept) -> None:
        from agent.tools.mcp_connection import Connection  # noqa: PLC0415 - takes a second

        def tell(standing: Standing) -> None:
            kept.standing = standing
            self.version += 1
            if not kept.asked.done():
                kept.asked.set_result(None)

        kept.connection = Connection(server, tell, self._errors)
        running = self._group.create_task(kept.connection.run(), name=f"MCP server {server.name}")
        self._tasks[server] = running

    def _leave(self, server: McpServer, kept: _Kept) -> None:
        del self._leaving[server]
        kept.connection = None
        self._tasks.pop(server).cancel()
