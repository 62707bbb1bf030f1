"""Row 24: Redis forgets its scripts, again and again."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.call import events
from telephony.simulator.report import CallEvent
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.scripts import AGENT, CONVERSATION, HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import place, serving
from tests.end_to_end.watching import Step, Watch, observer
from tests.faults.table import Figure, Row, exactly, scaled
from tests.redis_server import RedisServer, redis_running

CALLS = 20
ONE_TURN = caller(SAY_MORGAN, HANG_UP)


def measure(share: float) -> Sequence[Figure]:
    """Calls during which every event of any of them is followed by a SCRIPT FLUSH."""
    with redis_running() as server:
        return asyncio.run(_measure(server, scaled(CALLS, share)))


async def _measure(server: RedisServer, calls: int) -> Sequence[Figure]:
    steps: Watch[Step] = Watch()
    happened: asyncio.Queue[CallEvent] = asyncio.Queue()
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        Redis.from_url(server.url, decode_responses=True) as admin,
        serving(gemini, observer(steps), redis_url=server.url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        flushing = tasks.create_task(_flush(admin, happened))
        async with asyncio.TaskGroup() as placed:
            placing = [
                placed.create_task(place(ONE_TURN, worker.url, on_event=happened.put_nowait))
                for _ in range(calls)
            ]
        flushing.cancel()
        flushes = (await admin.info("commandstats"))["cmdstat_script|flush"]["calls"]
    async with Redis.from_url(server.url, decode_responses=True) as admin:
        reports = [each.result() for each in placing]
        kept = [await stored(admin, report.call_sid) for report in reports]
    away = [step for step in steps.seen if isinstance(step.event, events.StoreAway)]
    return [
        Figure("calls", calls, None),
        Figure("times the scripts were flushed", flushes, None),
        Figure("calls with a problem", sum(bool(r.problems) for r in reports), exactly(0)),
        Figure("calls whose transcript is not whole", _not_whole(kept), exactly(0)),
        Figure("times the store was taken for away", len(away), exactly(0)),
    ]


async def _flush(admin: Redis, happened: asyncio.Queue[CallEvent]) -> None:
    while True:
        await happened.get()
        await admin.script_flush()


def _not_whole(kept: Sequence[Stored]) -> int:
    return sum(call.said != CONVERSATION[:3] for call in kept)


ROWS = (Row(24, "Redis forgets its scripts (SCRIPT FLUSH)", measure, beside=True),)
