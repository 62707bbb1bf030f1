"""A real redis-server: of the whole test run, or of one measurement."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


class RedisServer:
    """A redis-server of our own, without persistence: what is stopped has forgotten everything.

    Args:
        program: The path of redis-server.
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
        raise RuntimeError("redis-server did not start:\n" + "".join(log))

    def stop(self) -> None:
        """Return when it is gone. Nothing, if it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None


@contextmanager
def redis_running() -> Iterator[RedisServer]:
    """A new server until the block ends, for what is no test and has no fixtures."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is not on the PATH (Debian: apt install redis-server)")
    with TemporaryDirectory() as folder:
        server = RedisServer(program, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
