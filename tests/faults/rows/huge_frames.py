"""Row 29: frames of more than 64 KiB, one after another, at a worker process."""

import asyncio
from collections.abc import Sequence

import psutil
from websockets.exceptions import ConnectionClosed

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.server.app import MAX_FRAME_BYTES
from tests.end_to_end import twilio
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import WorkerProcess, worker_process
from tests.faults.table import Figure, Row, at_most, exactly, scaled

FRAMES = 1_000
WARM_UP = 20
MESSAGE_TOO_BIG = 1009
SIZES = (MAX_FRAME_BYTES + 1, 1_000_000, 16_000_000)
"""Just too long; what other servers take; what uvicorn would take."""


def measure(share: float) -> Sequence[Figure]:
    """Each frame is the first of its stream: it is closed, and the next one opens another."""
    return asyncio.run(_measure(scaled(FRAMES, share, least=len(SIZES))))


async def _measure(frames: int) -> Sequence[Figure]:
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        worker_process(gemini) as worker,
    ):
        memory = psutil.Process(worker.process.pid).memory_info
        for _ in range(WARM_UP):
            await _close_code(worker, 10)
        before = peak = memory().rss
        other = 0
        for n in range(frames):
            other += await _close_code(worker, SIZES[n % len(SIZES)]) != MESSAGE_TOO_BIG
            peak = max(peak, memory().rss)
    return [
        Figure("frames", frames, None),
        Figure("that were not closed with 1009", other, exactly(0)),
        Figure("memory, peak, more than before", (peak - before) / 2**20, at_most(8), "MiB"),
    ]


async def _close_code(worker: WorkerProcess, size: int) -> int | None:
    """How a stream is closed that begins with a frame of so many bytes, and says no more."""
    async with twilio.open_stream(worker.url) as socket:
        try:
            await socket.send("x" * size)
            if size > MAX_FRAME_BYTES:
                await socket.recv()
        except ConnectionClosed:
            pass
    return socket.close_code


ROWS = (Row(29, "frames of more than 64 KiB", measure),)
