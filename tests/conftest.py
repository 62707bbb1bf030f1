"""For the whole test run: which tests stay together on one core, that none is timed, and a real
redis-server.
"""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.programs import program

# Machines are shared: nothing is timed. Else an example that takes 200 ms fails its test.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")

REAL_TIME = frozenset({"end_to_end", "judges"})
"""Folders of whole calls over real sockets, which wait more than they compute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let calls in real time follow one another, and leave the other core to everything else."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in REAL_TIME:
            item.add_marker(pytest.mark.xdist_group("real time"))


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

    def start(self) -> None:
        """Return when it accepts connections. Nothing, if it runs already."""
        if self._process is not None:
            return
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        options += ["--appendonly", "no", "--dir", str(self._directory)]
        self._process = subprocess.Popen(  # noqa: S603  our own program and options
            [self._program, *options], stdout=subprocess.PIPE, text=True
        )
        log: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            log.append(line)
            if "Ready to accept connections" in line:
                return
        self.stop()
        pytest.fail("redis-server did not start:\n" + "".join(log))

    def stop(self) -> None:
        """Return when it is gone. Nothing, if it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running redis-server. Whoever stops it starts it again; whoever fills it empties it."""
    server = RedisServer(program("redis-server", "redis-server"), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
