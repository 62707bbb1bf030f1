"""A simulated Gemini, a worker in this process, and a real Valkey server."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from tests.end_to_end.left_behind import SERVED, begin, left_behind
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import LocalWorker, serving
from tests.end_to_end.watching import Step, Watch, observer
from tests.forked import ROOT

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


@pytest.fixture(autouse=True)
async def _nothing_is_left_behind() -> AsyncIterator[None]:
    before = begin()
    yield
    left = await left_behind(before)
    SERVED.clear()
    assert left == {}


@pytest.fixture
async def gemini() -> AsyncIterator[SimulatedGemini]:
    """A Gemini without waits, that says `AGENT`."""
    async with SimulatedGemini(GeminiServer(AGENT, BRISK)) as running:
        yield running


@pytest.fixture
async def steps() -> Watch[Step]:
    """Every step of every call of `worker`."""
    return Watch()


@pytest.fixture
async def worker(gemini: SimulatedGemini, steps: Watch[Step]) -> AsyncIterator[LocalWorker]:
    """A worker in this process that keeps everything in memory."""
    async with serving(gemini, observer(steps)) as running:
        yield running


@pytest.fixture
async def redis(redis_server: "RedisServer") -> AsyncIterator[Redis]:
    """A plain client of a real Valkey server, which is empty."""
    redis_server.start()
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        await client.flushall()
        yield client


@dataclass(frozen=True, slots=True)
class Demo:
    """`offhook demo`, running, and the folder of its recording."""

    process: subprocess.Popen[str]
    out: Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo: it takes 40 s of talking."""
    out = tmp_path_factory.mktemp("demo")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "telephony", "demo", "--out", str(out)],
        cwd=ROOT,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Demo(process, out)
        process.kill()
