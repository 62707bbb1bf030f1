"""Serves offhook or the reference in this process, with a heartbeat that shows what blocks it.

    python -m tests.benchmarks.calls.watched offhook|reference BLOCKS.json

Every millisecond a timer notes how much CPU the loop's thread used since the last one: no other
callback could run meanwhile, so that is how long a caller's frame may have waited. CPU time, since
on a shared machine the wall says more about the neighbours. SIGUSR1 begins a new count, SIGUSR2
writes it to BLOCKS.json.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import uvicorn
import uvloop

BEAT_S = 0.001
BLOCK_MS = 5.0


class Heartbeat:
    """Counts the stretches of CPU time between two beats."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last_ns = time.thread_time_ns()
        self._blocks_ms: list[float] = []
        self._beats = 0
        self._most_ms = 0.0

    def beat(self) -> None:
        """Note, and beat again in a millisecond."""
        used_ns = time.thread_time_ns()
        block_ms = (used_ns - self._last_ns) / 1e6
        self._last_ns = used_ns
        self._beats += 1
        self._most_ms = max(self._most_ms, block_ms)
        if block_ms > BLOCK_MS:
            self._blocks_ms.append(round(block_ms, 2))
        self._loop.call_later(BEAT_S, self.beat)

    def restart(self) -> None:
        """Count anew."""
        self._blocks_ms, self._beats, self._most_ms = [], 0, 0.0
        self._last_ns = time.thread_time_ns()

    def tell(self, path: Path) -> None:
        """Write what was counted."""
        told = {
            "beats": self._beats,
            "blocks_over_5_ms": self._blocks_ms,
            "longest_block_ms": round(self._most_ms, 2),
        }
        path.write_text(json.dumps(told), encoding="utf-8")


async def serve(what: str, path: Path) -> None:
    """Serve until killed."""
    heartbeat = Heartbeat()
    heartbeat.beat()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, heartbeat.restart)
    loop.add_signal_handler(signal.SIGUSR2, heartbeat.tell, path)
    if what == "offhook":
        from telephony import settings  # noqa: PLC0415 - one of the two
        from telephony.server.app import serve as serve_offhook  # noqa: PLC0415 - one of the two
        from telephony.server.logs import configure  # noqa: PLC0415 - one of the two

        given = settings.load()
        configure()
        await serve_offhook(given)
    else:
        from tests.benchmarks.calls import reference  # noqa: PLC0415 - one of the two

        await uvicorn.Server(reference.config(int(os.environ["PORT"]))).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], Path(sys.argv[2])))
