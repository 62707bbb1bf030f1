"""A real Caddy with our Caddyfile before two real workers: nothing is cut in a rollout."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.conftest import gemini, redis
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import CONVERSATION, TWO_TURNS
from tests.end_to_end.serving import WorkerProcess, get, place, worker_process
from tests.end_to_end.watching import PATIENCE_S, Watch
from tests.programs import program

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

__all__ = ["gemini", "redis"]  # fixtures

CADDYFILE = Path(__file__).parents[2] / "infra/Caddyfile"


@pytest.fixture
def caddy() -> str:
    """The path of Caddy."""
    return program("caddy")


@asynccontextmanager
async def proxied(caddy: str, folder: Path, *workers: WorkerProcess) -> AsyncIterator[str]:
    """Caddy before these workers, without TLS; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\nimport {CADDYFILE}\n")
    process = await asyncio.create_subprocess_exec(
        *(caddy, "run", "--config", str(folder / "Caddyfile")),
        env={
            "PUBLIC_URL": url,
            "WORKERS": " ".join(worker.url.removeprefix("http://") for worker in workers),
            "HOME": str(folder),
            "PATH": os.defpath,
        },
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await get(url, "/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)  # Caddy does not tell when it listens
            else:
                return


async def test_a_rollout_behind_the_proxy_drops_no_call_and_refuses_none(
    gemini: SimulatedGemini,
    redis: Redis,
    redis_server: "RedisServer",
    caddy: str,
    tmp_path: Path,
) -> None:
    events: Watch[CallEvent] = Watch()
    async with (
        worker_process(gemini, redis_server.url, DRAIN_BUDGET_S="8") as one,
        worker_process(gemini, redis_server.url, DRAIN_BUDGET_S="8") as other,
        proxied(caddy, tmp_path, one, other) as url,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(place(TWO_TURNS, url, on_event=events))
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        (old,) = (worker for worker in (one, other) if _has_a_stream(worker))
        old.process.send_signal(signal.SIGTERM)
        assert (await old.tells("draining"))["calls"] == 1
        arrived = await place(TWO_TURNS, url)
        assert await old.wait() == 0
        handed_over = await running
        (new,) = (worker for worker in (one, other) if worker is not old)
        new.process.send_signal(signal.SIGTERM)  # so that all of it is stored
        assert await new.wait() == 0

    assert (handed_over.problems, arrived.problems) == ((), ())
    assert (handed_over.streams, arrived.streams) == (2, 1)
    for report in (handed_over, arrived):
        assert (await stored(redis, report.call_sid)).heard == CONVERSATION


async def test_the_proxy_shows_the_public_nothing_private(
    gemini: SimulatedGemini, caddy: str, tmp_path: Path
) -> None:
    async with worker_process(gemini) as worker, proxied(caddy, tmp_path, worker) as url:
        codes = {
            path: (await get(url, path)).status_code
            for path in ("/metrics", "/readyz", "/healthz", "/twilio/voice")
        }
    assert codes == {"/metrics": 404, "/readyz": 404, "/healthz": 200, "/twilio/voice": 405}


def _has_a_stream(worker: WorkerProcess) -> bool:
    return any('"event": "stream started"' in line for line in worker.log.seen)
