"""Row 54: nothing is kept for ever, and a purge of a caller leaves nothing of theirs."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.purging import purge
from telephony.replay.keeping import read_note
from tests.end_to_end.scripts import AGENT, HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import place, serving
from tests.faults.rows.recording import PERSONA, RECORDS
from tests.faults.table import Figure, Row, exactly, scaled
from tests.redis_server import RedisServer, redis_running

CALLS = 20
NUMBER = "+14155550123"
"""Of every simulated caller."""


def measure(share: float) -> Sequence[Figure]:
    """Calls that are recorded; then what is kept of them is looked at, and purged."""
    with redis_running() as server:
        return asyncio.run(_measure(server, scaled(CALLS, share)))


async def _measure(server: RedisServer, calls: int) -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "mira.toml"
        file.write_text(PERSONA + RECORDS)
        async with (
            SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
            serving(gemini, redis_url=server.url, personas=file, state_dir=name) as worker,
        ):
            settings = worker.server.worker.settings
            for _ in range(calls):
                await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        recorded = sorted(settings.recordings_dir.glob("*.call"))
        unnoted = [path for path in recorded if not getattr(read_note(path), "until_ms", 0)]
        async with Redis.from_url(server.url, decode_responses=True) as admin:
            keys = [key async for key in admin.scan_iter()]
            eternal = [key for key in keys if await admin.ttl(key) == -1]
            told = (await purge(settings, "", NUMBER, dry_run=True)).lines()
            kept = [key async for key in admin.scan_iter()]
            await purge(settings, "", NUMBER, dry_run=False)
            left = [key async for key in admin.scan_iter()]
            again = (await purge(settings, "", NUMBER, dry_run=True)).lines()
        files = sorted(settings.recordings_dir.glob("*.call"))
    return [
        Figure("calls of one caller, recorded", len(recorded), exactly(calls)),
        Figure("keys", len(keys), None),
        Figure("keys without an expiry", len(eternal), exactly(0)),
        Figure("recordings that nothing says how long to keep", len(unnoted), exactly(0)),
        Figure("lines that a dry run prints", len(told), None),
        Figure("keys that a dry run removes", len(set(keys) - set(kept)), exactly(0)),
        Figure("keys left by a purge", len([key for key in left if "CA" in key]), exactly(0)),
        Figure("recordings left by a purge", len(files), exactly(0)),
        Figure("things that a second purge finds", len(again) - 1, exactly(0)),
    ]


ROWS = (Row(54, "what is kept of a caller is purged", measure),)
