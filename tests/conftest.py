"""For the whole test run: nothing is timed, skips are named, and a real server speaks Redis."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.redis_server import RedisServer, redis_running
from tests.skips import pytest_unconfigure

__all__ = ["pytest_unconfigure"]  # a hook

# Machines are shared: nothing is timed. Else an example that takes 200 ms fails its test.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running server. Whoever stops it starts it again; whoever fills it empties it."""
    with redis_running() as server:
        yield server
