"""Rows 20 to 23: Redis is stopped, slow, unwilling, or fails over to a replica that lags."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle, islice

from redis.asyncio import Redis

from telephony.simulator.proxy import proxied
from telephony.simulator.report import CallerSpoke, CallEvent
from tests.end_to_end.scripts import HANG_UP, SAY_GARDEN, SAY_MORGAN, caller
from tests.end_to_end.watching import Watch
from tests.faults.figures import gaps
from tests.faults.store_calls import Outcome, calls_during, client, lines_in
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.faults.telling_worker import Told
from tests.redis_server import RedisServer, redis_running

CALLS = 20
AWAY_S = 60
TURN_S = 4
SLOW_MS = (250, 250)
"""Each way."""
LAG_MS = (1_000, 1_000)

STORED = 3
"""Lines of a call, when the primary is killed."""

ONE_TURN = caller(SAY_MORGAN, HANG_UP)
TWO_TURNS = caller(SAY_MORGAN, SAY_GARDEN, HANG_UP)

type Events = Watch[CallEvent]
type Tellings = Watch[Told]


def stopped(share: float) -> Sequence[Figure]:
    """Row 20: stopped for a minute, and back without its data; and as many calls without that."""
    away_s = scaled(AWAY_S, share)
    turns = islice(cycle([SAY_MORGAN, SAY_GARDEN]), away_s // TURN_S + 2)
    script = caller(*turns, HANG_UP)
    calls = scaled(CALLS, share)
    back_at_s = 0.0
    with redis_running() as server:

        async def stop(happened: Events, told: Tellings) -> None:
            nonlocal back_at_s
            await happened.until(_spoke)
            server.stop()
            await told.until(lambda one: one.what == "away")
            await asyncio.sleep(away_s)
            server.start()
            back_at_s = time.monotonic()

        during = partial(calls_during, script, calls, server.url, patience_s=60 + 2 * away_s)
        gone = asyncio.run(during(stop))
        server.stop()
        server.start()
        figures = [
            Figure("stopped for", away_s, None, "s"),
            *gone.figures(),
            Figure("drained after", gone.drained_s(back_at_s), at_most(2), "s", wall_time=True),
        ]
        if share:
            there = asyncio.run(during(_nothing))
            ms = _p99(gone.response_ms()) - _p99(there.response_ms())
            figures.append(Figure("added latency, p99", ms, at_most(5), "ms", wall_time=True))
    return figures


def slow(share: float) -> Sequence[Figure]:
    """Row 21: each answer of Redis takes half a second more."""
    calls = scaled(CALLS, share)

    async def through() -> Outcome:
        async with proxied("127.0.0.1", server.port) as proxy:
            proxy.delay_ms = SLOW_MS
            url = f"redis://127.0.0.1:{proxy.port}/0"
            return await calls_during(ONE_TURN, calls, url, _nothing, kept_in=server.url)

    with redis_running() as server:
        late = asyncio.run(through())
        if share:
            prompt = asyncio.run(calls_during(ONE_TURN, calls, server.url, _nothing))
    figures = [
        *late.figures(),
        Figure("gaps in replies", sum(len(gaps(report)) for report in late.reports), exactly(0)),
        Figure("replies not heard whole", late.not_heard_whole(), exactly(0)),
    ]
    if share:
        ms = _p99(late.pacing_ms()) - _p99(prompt.pacing_ms())
        figures.append(Figure("audio less even, p99", ms, at_most(1), "ms", wall_time=True))
    return figures


@asynccontextmanager
async def _full(server: RedisServer, admin: Redis) -> AsyncIterator[None]:
    await admin.config_set("maxmemory", 1)
    yield
    await admin.config_set("maxmemory", 0)


@asynccontextmanager
async def _replica(server: RedisServer, admin: Redis) -> AsyncIterator[None]:
    await admin.replicaof("127.0.0.1", "1")
    yield
    await admin.replicaof("NO", "ONE")


@asynccontextmanager
async def _password(server: RedisServer, admin: Redis) -> AsyncIterator[None]:
    await admin.config_set("requirepass", "letmein")
    await admin.client_kill_filter(_type="normal", skipme=True)
    yield
    await admin.config_set("requirepass", "")


@asynccontextmanager
async def _loading(server: RedisServer, admin: Redis) -> AsyncIterator[None]:
    """It is back, and reads for some seconds what it had saved."""
    await admin.mset({f"other:{n}": n for n in range(LOADED_KEYS)})
    await admin.save()
    server.stop()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(server.start, *SLOWLY))
        yield


LOADED_KEYS = 5_000
SLOWLY = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
"""A millisecond a key; and in between it says to all who ask that it is loading."""

UNWILLING: dict[str, Callable[[RedisServer, Redis], AbstractAsyncContextManager[None]]] = {
    "out of memory": _full,
    "read-only": _replica,
    "not authenticated": _password,
    "loading": _loading,
}
"""What it says, and how it is brought to say so, and to stop."""


def unwilling(share: float) -> Sequence[Figure]:
    """Row 22: it is there, and will not write."""
    return asyncio.run(_all_unwilling(scaled(CALLS, share)))


async def _all_unwilling(calls: int) -> Sequence[Figure]:
    async with asyncio.TaskGroup() as tasks:
        each = [tasks.create_task(_unwilling(calls, why)) for why in UNWILLING]
    return [figure for task in each for figure in task.result()]


async def _unwilling(calls: int, why: str) -> Sequence[Figure]:
    with redis_running() as server:
        async with client(server.url) as admin:

            async def refuse(happened: Events, told: Tellings) -> None:
                await happened.until(_spoke, times=calls)
                async with UNWILLING[why](server, admin):
                    await told.until(lambda one: (one.what, one.why) == ("away", why), times=calls)

            outcome = await calls_during(ONE_TURN, calls, server.url, refuse)
    named = Figure("calls that named it", outcome.lines.away[why], at_least(calls))
    return [replace(each, what=f"{why}: {each.what}") for each in [*outcome.figures(), named]]


def failed_over(share: float) -> Sequence[Figure]:
    """Row 23: the primary is killed; the replica that takes its place is a second behind."""
    calls = scaled(CALLS, share)
    lacking: list[int] = []
    with redis_running() as primary, redis_running() as replica:

        async def run() -> Outcome:
            async with (
                proxied("127.0.0.1", primary.port) as lagging,
                proxied("127.0.0.1", primary.port) as front,
                client(replica.url) as admin,
            ):
                await admin.replicaof("127.0.0.1", str(lagging.port))
                await _linked(admin)
                lagging.delay_ms = LAG_MS

                async def fail_over(happened: Events, told: Tellings) -> None:
                    await happened.until(_spoke, times=calls)
                    await told.until(_answered, times=calls)
                    primary.stop()
                    await admin.replicaof("NO", "ONE")
                    lacking.extend(
                        [
                            STORED - await lines_in(admin, sid)
                            for sid in {one.call_sid for one in told.seen}
                        ]
                    )
                    front.to = ("127.0.0.1", replica.port)
                    front.reset()

                url = f"redis://127.0.0.1:{front.port}/0"
                return await calls_during(TWO_TURNS, calls, url, fail_over, kept_in=replica.url)

        figures = asyncio.run(run()).figures()
    lost = Figure("lines stored that the replica did not have", sum(lacking), at_least(calls))
    return [*figures, lost]


async def _linked(replica: Redis) -> None:
    while (await replica.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110 - untold
        await asyncio.sleep(0.05)


async def _nothing(happened: Events, told: Tellings) -> None:
    pass


def _spoke(event: CallEvent) -> bool:
    return isinstance(event, CallerSpoke)


def _answered(told: Told) -> bool:
    """The caller's line and the answer are stored, and not replicated yet."""
    return (told.what, told.n) == ("stored", STORED)


def _p99(times_ms: Sequence[int]) -> float:
    return statistics.quantiles(times_ms, n=100)[-1]


ROWS = (
    Row(20, "Redis stopped, and back without its data", stopped),
    Row(21, "Redis 500 ms slower", slow),
    Row(22, "Redis out of memory, read-only, not authenticated, loading", unwilling, beside=True),
    Row(23, "Redis fails over to a replica a second behind", failed_over, beside=True),
)
