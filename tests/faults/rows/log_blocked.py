"""Row 42: nobody reads the log, and then there is no room on the disk for it."""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.simulator.report import Report
from tests.end_to_end.scripts import AGENT, HANG_UP, caller
from tests.end_to_end.serving import get, place, serve_environment
from tests.end_to_end.watching import PATIENCE_S
from tests.faults.blocked_pipe import blocked_pipe
from tests.faults.figures import gaps
from tests.faults.table import Figure, Row, at_least, exactly, scaled
from tests.forked import ROOT
from tests.own_store import state_dir

CALLS = 20
GREETED = caller(HANG_UP)
DROPPED = re.compile(r"^offhook_log_lines_dropped_total (\S+)$", re.MULTILINE)


def measure(share: float) -> Sequence[Figure]:
    """Calls to a worker whose standard error is a pipe that is full, then /dev/full."""
    calls = scaled(CALLS, share)
    with blocked_pipe() as (_, writing):
        unread, _ = asyncio.run(_called(writing, calls))
    with Path("/dev/full").open("wb") as full:
        unwritten, dropped = asyncio.run(_called(full.fileno(), calls))
    return [
        Figure("calls, nobody reading the log; as many, the disk full", calls, None),
        Figure("calls with a problem, nobody reading", _problems(unread), exactly(0)),
        Figure("calls with a problem, disk full", _problems(unwritten), exactly(0)),
        Figure("lines dropped and counted for each call", dropped / calls, at_least(1)),
        Figure("gaps in replies", _gaps([*unread, *unwritten]), exactly(0)),
    ]


async def _called(log: int, calls: int) -> tuple[list[Report], float]:
    """Place calls to a worker that logs there. Returns also how many lines it has dropped."""
    async with SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini, _worker(gemini, log) as url:
        async with asyncio.TaskGroup() as tasks:
            placing = [tasks.create_task(place(GREETED, url)) for _ in range(calls)]
        found = DROPPED.search((await get(url, "/metrics")).text)
    assert found is not None
    return [each.result() for each in placing], float(found[1])


@asynccontextmanager
async def _worker(gemini: SimulatedGemini, log: int) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ports = {"PORT": str(port), "METRICS_PORT": str(port)}
    async with state_dir() as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "telephony", "serve"),
            cwd=ROOT,
            env=serve_environment(gemini) | ports | {"STATE_DIR": str(folder)},
            stderr=log,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await _listens(port):  # noqa: ASYNC110 - its log is what cannot be read
                    await asyncio.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def _problems(reports: Sequence[Report]) -> int:
    return sum(bool(report.problems) or len(report.turns) != 1 for report in reports)


def _gaps(reports: Sequence[Report]) -> int:
    return sum(len(gaps(report)) for report in reports)


ROWS = (Row(42, "the log is not read; the disk is full", measure),)
