"""For the whole test run: two lanes, nothing is timed, skips are named, a server speaks Redis."""

import gc
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import lanes
from tests.redis_server import RedisServer, redis_running
from tests.skips import pytest_unconfigure

__all__ = ["pytest_unconfigure"]  # a hook

# Machines are shared: nothing is timed. Else an example that takes 200 ms fails its test.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


GARBAGE = 100_000
"""After how many new objects the collector looks at them. After 2000, as by default, it takes a
tenth of the time of a simulated call."""

lanes.watch()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files of which this process runs nothing."""
    if not collection_path.is_relative_to(config.rootpath):
        return None
    path = collection_path.relative_to(config.rootpath).as_posix()
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    lane = lanes.Lane.BOTH
    if worker is not None:
        lane = lanes.lane_of(worker["workerid"], worker["workercount"])
    return True if lanes.is_left_out(path, config.option.markexpr, lane) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays, so the garbage collector need never look at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE, 50, 50)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses."""
    lanes.sort_into_lanes(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection_finish(session: pytest.Session) -> Iterator[None]:
    """Where several processes run the tests: tell the scheduler which are real, and make way."""
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is None:
        return (yield)
    lanes.give_way(session.items, worker["workerid"], worker["workercount"])
    with lanes.names_tell_lanes(session.items):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """From the first fixture's beginning to the last one's end."""
    if lanes.is_real(item):
        return (yield)
    with lanes.GUARD.on():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that was stopped and took it for something else."""
    done = yield
    if not lanes.is_real(item) and lanes.GUARD.caught:
        pytest.fail(f"a test that computes did what only real ones may: {lanes.GUARD.caught}")
    return done


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> lanes.LaneScheduling:
    """Who gets which tests, where several processes run them."""
    return lanes.LaneScheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def forget(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a file's tests keep of recordings and calls is of no use to the next file's. Together
    it would be two million objects, for which the collector and the end of a process take 10 s.
    """
    yield
    for kept in vars(request.module).values():
        if isinstance(kept, _lru_cache_wrapper) and kept.__module__.startswith("tests."):
            kept.cache_clear()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """What is left is collected once. pytest does it five times, and then looks at new objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running server. Whoever stops it starts it again; whoever fills it empties it."""
    with redis_running() as server:
        yield server
