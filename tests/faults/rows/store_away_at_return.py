"""Row 59: the store is away, frozen or slow when a stream comes back to the worker with its call.

The streams of several calls of one worker break in the same answer. From the first break until all
of them are back, nothing can be asked of the store in time.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from telephony.simulator.proxy import Proxy, proxied
from telephony.simulator.report import CallEvent, StreamClosed
from telephony.simulator.script import Cut
from tests.end_to_end.scripts import CONVERSATION, GREETING, cut_off
from tests.end_to_end.watching import Watch
from tests.faults.store_calls import Outcome, calls_during
from tests.faults.table import Figure, Row, exactly, scaled
from tests.faults.telling_worker import Told
from tests.redis_server import RedisServer, redis_running

CALLS = 200
AT_ONCE = 20
SLOW_MS = (600, 700)
"""Each way; a worker waits for 1 s."""

NOBODY = ("127.0.0.1", 1)
"""No server is there."""


def _away(proxy: Proxy) -> None:
    proxy.to = NOBODY
    proxy.reset()


def _slow(proxy: Proxy) -> None:
    proxy.delay_ms = SLOW_MS


FAULTS: Mapping[str, Callable[[Proxy], object]] = {
    "away": _away,
    "frozen": Proxy.hold,
    "slow": _slow,
}


@dataclass(frozen=True, slots=True)
class _Returned:
    """Some calls, and how many of their streams came back before the store did."""

    outcome: Outcome
    meanwhile: int


def measure(share: float) -> Sequence[Figure]:
    """Calls in groups, each of which meets one fault."""
    calls = scaled(CALLS, share, least=len(FAULTS))
    most = min(AT_ONCE, -(-calls // len(FAULTS)))
    sizes = [min(most, calls - at) for at in range(0, calls, most)]
    faults = [[*FAULTS][n % len(FAULTS)] for n in range(len(sizes))]
    with redis_running() as server:
        found = [
            asyncio.run(_returned(server, FAULTS[fault], size))
            for fault, size in zip(faults, sizes, strict=True)
        ]
    kept = [call for each in found for call in each.outcome.kept]
    told = [one for each in found for one in each.outcome.told]
    reports = [report for each in found for report in each.outcome.reports]
    back = sum(each.meanwhile for each in found)
    said = [[line for line in call.said if line != ("agent", GREETING)] for call in kept]
    return [
        Figure("calls", len(reports), exactly(calls)),
        *(
            Figure(f"of these with the store {fault}", _total(fault, faults, sizes), None)
            for fault in FAULTS
        ),
        Figure("streams back before the store was", back, exactly(calls)),
        Figure("calls dropped", sum(bool(r.problems) for r in reports), exactly(0)),
        Figure("calls told that another worker has them", _ends(told, "taken_over"), exactly(0)),
        Figure("sessions besides the first", _sessions(told) - calls, exactly(0)),
        Figure(
            "greetings of a call, besides the first",
            sum(call.said.count(("agent", GREETING)) for call in kept) - calls,
            exactly(0),
        ),
        Figure(
            "calls with lines lost, doubled or reordered",
            sum(lines != CONVERSATION[1:] for lines in said)
            + sum(each.outcome.wrong() for each in found),
            exactly(0),
        ),
        Figure(
            "lines not heard whole",
            sum(each.outcome.not_heard_whole() for each in found),
            exactly(0),
        ),
        Figure(
            "workers that did not exit with 0",
            sum(each.outcome.exit_code != 0 for each in found),
            exactly(0),
        ),
    ]


async def _returned(server: RedisServer, fault: Callable[[Proxy], object], calls: int) -> _Returned:
    meanwhile = 0
    async with proxied("127.0.0.1", server.port) as proxy:

        async def strike(happened: Watch[CallEvent], told: Watch[Told]) -> None:
            nonlocal meanwhile
            await happened.until(lambda event: isinstance(event, StreamClosed))
            fault(proxy)
            await told.until(lambda one: one.what == "stream", times=2 * calls)
            meanwhile = calls
            proxy.to, proxy.delay_ms = ("127.0.0.1", server.port), (0, 0)
            proxy.let_go()

        url = f"redis://127.0.0.1:{proxy.port}/0"
        outcome = await calls_during(cut_off(Cut.RESET), calls, url, strike, kept_in=server.url)
    return _Returned(outcome, meanwhile)


def _total(fault: str, faults: Sequence[str], sizes: Sequence[int]) -> int:
    return sum(size for other, size in zip(faults, sizes, strict=True) if other == fault)


def _ends(told: Sequence[Told], why: str) -> int:
    return sum((one.what, one.why) == ("end", why) for one in told)


def _sessions(told: Sequence[Told]) -> int:
    return sum(one.what == "session" for one in told)


ROWS = (Row(59, "the store is away when a stream comes back", measure),)
