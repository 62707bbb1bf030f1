"""Deletes recordings that may not be kept any longer, also those that dead workers have left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from telephony.replay.keeping import sweep
from telephony.server.admission import wall_time_ms

SWEEP_EVERY_S = 30.0
"""What a caller refused and a crash or a full disk has left is deleted within a minute."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def sweeping(folder: Path) -> AsyncIterator[None]:
    """Sweep a folder regularly, in a thread, and at once."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_sweep_for_ever(folder), name="sweeper")
        yield
        task.cancel()


async def _sweep_for_ever(folder: Path) -> None:
    while True:
        if deleted := await asyncio.to_thread(sweep, folder, wall_time_ms(), _failed):
            log.info("recordings deleted: they may not be kept any longer", recordings=deleted)
        await asyncio.sleep(SWEEP_EVERY_S)


def _failed(path: Path, error: OSError) -> None:
    log.error("a recording cannot be deleted", recording=path.name, why=error.strerror)
