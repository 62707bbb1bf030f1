"""Keeps the agents of this worker up to date with their files.

A changed file is taken up for the next call. A file with mistakes changes nothing: the agents that
were read last stay, and the log and `/readyz` say what is wrong.

A call never waits for an MCP server. Those of a changed file are asked first, while the agents that
were read before go on answering; once each has answered or not, the change is taken up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from agent.persona.agents import BUILT_IN, Agents
from agent.persona.mistakes import PersonaError
from agent.persona.reading import files_of, read
from agent.persona.remote import Joined, joined
from agent.persona.tooling import changed_modules
from agent.tools.mcp_servers import McpCall, McpServers
from telephony.errors import SettingsError
from telephony.settings import secret

type Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change in ns, and size of each file."""

log = structlog.get_logger(__name__)


class Personas:
    """The agents, read from their files.

    Args:
        path: A persona file, or a folder of them; None for the built-in agent.

    Attributes:
        problem: What is wrong with the files as they are now, or "".
        servers: The MCP servers of the agents; enter `asking` first.

    Raises:
        SettingsError: The files cannot be used; the message has a line for each mistake.
    """

    def __init__(self, path: Path | None) -> None:
        self.problem = ""
        self.servers = McpServers()
        self._path = None if path is None else path.expanduser()
        self._agents = BUILT_IN
        self._coming: Agents | None = None
        self._joined: tuple[Agents, int, Joined] | None = None
        self._reading = asyncio.Lock()
        self._seen: Stamp = ()
        self._changed: list[str] = []
        """The changed modules that the log has told of."""
        if self._path is None:
            return
        self._seen = _stamp(self._path)
        try:
            self._agents = read(files_of(self._path), secret)
        except PersonaError as error:
            raise SettingsError(f"PERSONAS: persona files with mistakes:\n{error}") from None

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask every MCP server, and keep the connections until the block ends."""
        try:
            self.servers.use(self._agents.mcp_servers)
            await self.servers.asked()
            for problem in self.server_problems:
                log.warning("an MCP server cannot be used", problem=problem)
            yield
        finally:
            await self.servers.aclose()

    @property
    def last_good(self) -> Agents:
        """The agents that were read last, with those tools of MCP servers that are known."""
        return self._with_servers().agents

    @property
    def server_problems(self) -> tuple[str, ...]:
        """What is wrong with MCP servers, a sentence for each."""
        return self._with_servers().problems

    def _with_servers(self) -> Joined:
        if self._coming is not None and self.servers.were_asked(self._coming.mcp_servers):
            self._agents, self._coming = self._coming, None
            self.servers.use(self._agents.mcp_servers)
        agents, version = self._agents, self.servers.version
        kept = self._joined
        if kept is None or kept[0] is not agents or kept[1] != version:
            runs = partial(McpCall, self.servers)
            kept = self._joined = (agents, version, joined(agents, self.servers.standing, runs))
        return kept[2]

    def use(self, agents: Agents) -> None:
        """Answer as these from now on, and look at no file: for a replay of a recorded call."""
        self._path, self._agents = None, agents

    async def current(self) -> Agents:
        """The agents as their files are now; those that were read last if a file has a mistake."""
        if self._path is None:
            return self.last_good
        async with self._reading:
            stamp = _stamp(self._path)
            if stamp != self._seen:
                self._seen = stamp
                await self._read_again(self._path)
            self._tell_of_modules()
        return self.last_good

    def _tell_of_modules(self) -> None:
        changed = changed_modules()
        if changed and changed != self._changed:
            log.warning(
                "tool modules have changed; calls go on with them as they were",
                modules=changed,
                hint="restart offhook: it hands its calls over, or lets them end",
            )
        self._changed = changed

    async def _read_again(self, path: Path) -> None:
        self._coming = None
        try:
            self._coming = await asyncio.to_thread(lambda: read(files_of(path), secret))
        except PersonaError as error:
            self.problem = str(error)
            self.servers.use(self._agents.mcp_servers)
            log.warning(
                "persona files have mistakes; the agents that were read last go on answering",
                mistakes=[str(mistake) for mistake in error.mistakes],
            )
        else:
            self.problem = ""
            self.servers.use(self._agents.mcp_servers | self._coming.mcp_servers)
            log.info("persona files read again", agents=len(self._coming))


def _stamp(path: Path) -> Stamp:
    """What tells whether a file was changed, added or removed."""
    found = []
    for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
        try:
            status = file.stat()
        except OSError:  # it was removed meanwhile, or cannot be read: `read` says so
            continue
        found.append((str(file), status.st_mtime_ns, status.st_size))
    return tuple(found)
