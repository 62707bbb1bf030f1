"""For the whole test run: which tests stay together on one core, that none is timed, and a real
redis-server.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.programs import program
from tests.redis_server import RedisServer

# Machines are shared: nothing is timed. Else an example that takes 200 ms fails its test.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")

REAL_TIME = frozenset({"end_to_end", "judges"})
"""Folders of whole calls over real sockets, which wait more than they compute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let calls in real time follow one another, folder by folder."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in REAL_TIME:
            item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running redis-server. Whoever stops it starts it again; whoever fills it empties it."""
    server = RedisServer(program("redis-server", "redis-server"), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
