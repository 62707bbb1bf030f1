"""The same running server for every judge: a worker in this process, and a simulated Gemini."""

from collections.abc import AsyncIterator

import pytest

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from tests.end_to_end.serving import LocalWorker, serving
from tests.end_to_end.watching import Step, Watch, observer

SCRIPT = Script(greeting="name", fallback="sorry", turns=(Turn("still-here", expect="morgan"),))
"""A greeting long enough to be talked over, and a short answer."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is on this machine, and the judges would ask a proxy for it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def gemini() -> AsyncIterator[SimulatedGemini]:
    """A Gemini without waits, that says `SCRIPT`."""
    async with SimulatedGemini(GeminiServer(SCRIPT, BRISK)) as running:
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
