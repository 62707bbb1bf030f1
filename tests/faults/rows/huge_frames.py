"""Row 29: frames of more than 64 KiB, one after another, at a worker process."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.server.app import MAX_FRAME_BYTES
from tests.end_to_end import twilio
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import WorkerProcess, worker_process_anew
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
        worker_process_anew(gemini) as worker,
    ):
        for _ in range(WARM_UP):
            await _close_code(worker, 10)
        before_kib = _peak_kib(worker, begin=True)
        other = 0
        for n in range(frames):
            other += await _close_code(worker, SIZES[n % len(SIZES)]) != MESSAGE_TOO_BIG
        more_mib = (_peak_kib(worker) - before_kib) / 1024
    return [
        Figure("frames", frames, None),
        Figure("that were not closed with 1009", other, exactly(0)),
        Figure("memory, peak, more than before", more_mib, at_most(8), "MiB"),
    ]


def _peak_kib(worker: WorkerProcess, *, begin: bool = False) -> int:
    """The most memory the worker had since it was first asked for, which is when the kernel is told
    to `begin`. Looking now and then would miss what is taken for a frame and given back.
    """
    process = Path(f"/proc/{worker.process.pid}")
    if begin:
        (process / "clear_refs").write_text("5", "ascii")
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", (process / "status").read_text("ascii"), re.MULTILINE)
    assert peak is not None
    return int(peak[1])


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
