"""For the whole test run: that nothing is timed, and a real redis-server."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.programs import program
from tests.redis_server import RedisServer

# Machines are shared: nothing is timed. Else an example that takes 200 ms fails its test.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running redis-server. Whoever stops it starts it again; whoever fills it empties it."""
    server = RedisServer(program("redis-server", "redis-server"), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
