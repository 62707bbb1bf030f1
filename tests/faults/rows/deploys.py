"""Rows 6, 7 and 8: workers are told to stop, with much time, little or none, and all in turn."""

import asyncio
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from telephony.simulator.faults import CallFaults
from telephony.simulator.http_client import http_client
from telephony.simulator.report import AgentHeard, CallEvent, Report
from telephony.simulator.world_faults import Drain
from tests.end_to_end.scripts import HANG_UP, SAY_GARDEN, SAY_MORGAN, TWO_TURNS, caller
from tests.end_to_end.watching import Watch
from tests.faults.fleet import Fleet, percentile, running
from tests.faults.table import SMALLEST, Figure, Row, at_most, exactly, scaled
from tests.worlds import scenarios

CALLS = 20
SEEDS = 200
ROLLOUTS = 10
WORKERS = 4
ARRIVE_EVERY_S = 1.0

AS_MEASURED = CallFaults()
"""Twilio connects again 0.4 to 0.73 s after a stream ended, as others measured."""

LONG = caller(*(SAY_MORGAN, SAY_GARDEN) * 3, HANG_UP)


def measure_patient(share: float) -> Sequence[Figure]:
    """There are 20 minutes: all calls end by themselves."""
    return asyncio.run(_patient(scaled(CALLS, share, least=2)))


async def _patient(calls: int) -> Sequence[Figure]:
    async with running(1, DRAIN_BUDGET_S="1200") as fleet:
        talks = [Watch[CallEvent]() for _ in range(calls)]
        async with asyncio.TaskGroup() as tasks:
            placed = [tasks.create_task(fleet.place(TWO_TURNS, on_event=talk)) for talk in talks]
            for talk in talks:
                await talk.until(lambda event: isinstance(event, AgentHeard), times=2)
            fleet.send(0, signal.SIGTERM)
            unready_s = await _unready_s(fleet, 0)
        over_s = time.monotonic()
        code = await fleet.wait(0)
        exit_s = time.monotonic() - over_s
    reports = [each.result() for each in placed]
    return [
        Figure("calls up at SIGTERM", calls, None),
        Figure("calls dropped", _dropped(reports), exactly(0)),
        Figure("calls moved", sum(report.streams > 1 for report in reports), exactly(0)),
        *_in_vain(reports),
        Figure("exit code", code, exactly(0)),
        Figure("readiness false", unready_s * 1000, at_most(100), "ms", wall_time=True),
        Figure("exit after the last call", exit_s, at_most(1), "s", wall_time=True),
    ]


async def _unready_s(fleet: Fleet, number: int) -> float:
    """How long after now `/readyz` says no."""
    began_s = time.monotonic()
    async with http_client() as client:
        while (await client.get(f"{fleet.slots[number].url}/readyz")).status_code != 503:
            pass
    return time.monotonic() - began_s


def measure_short(share: float) -> Sequence[Figure]:
    """There is no time, or 10 s as on Cloud Run."""
    calls = scaled(CALLS, share, least=2)
    figures = list(asyncio.run(_handed_over("0", calls)))
    if share > SMALLEST:  # tests/end_to_end/test_worker_lost.py has the other
        figures += asyncio.run(_handed_over("10", calls))
    return figures


async def _handed_over(budget_s: str, calls: int) -> Sequence[Figure]:
    async with running(2, DRAIN_BUDGET_S=budget_s) as fleet:
        fleet.first = 0
        talks = [Watch[CallEvent]() for _ in range(calls)]
        async with asyncio.TaskGroup() as tasks:
            placed = [
                tasks.create_task(fleet.place(LONG, AS_MEASURED, on_event=talk)) for talk in talks
            ]
            for talk in talks:
                await talk.until(lambda event: isinstance(event, AgentHeard), times=2)
            fleet.first = 1
            victim = fleet.send(0, signal.SIGTERM)
            code = await fleet.wait(0)
    reports = [each.result() for each in placed]
    ends = [told.why for told in fleet.told.seen if told.what == "end" and told.worker == victim]
    deaf_ms = [
        after.media_start_ms - (before.ended_ms or 0)
        for report in reports
        for before, after in pairwise(report.lines)
    ]
    return [
        Figure(f"calls up at SIGTERM, budget {budget_s} s", calls, None),
        Figure("calls not handed over", calls - ends.count("handed_over"), exactly(0)),
        Figure("calls dropped", _dropped(reports), exactly(0)),
        Figure("calls not resumed", sum(report.streams < 2 for report in reports), exactly(0)),
        *_in_vain(reports),
        Figure("exit code", code, exactly(0)),
        Figure(
            "caller not listened to, p95",
            percentile(deaf_ms, 0.95),
            at_most(1_000),
            "ms",
            wall_time=True,
        ),
    ]


def measure_fargate(share: float) -> Sequence[Figure]:
    """There are 120 s as on Fargate, in virtual time."""
    runs, lost = scaled(SEEDS, share, least=4), 0
    for seed in range(runs):
        rng = Random(seed)
        steps = scenarios.questions_by_the_clock(*rng.choices(scenarios.QUESTIONS, k=24))
        world = scenarios.world(
            steps, seed, scenarios.ROW, (rng.randint(500, 30_000), Drain(120_000))
        )
        lost += len(world.workers) != 2 or not world.over or bool(world.store.complaints)
    return [
        Figure("calls of three minutes, budget 120 s, virtual", runs, None),
        Figure("of these not handed over, or broken", lost, exactly(0)),
    ]


def measure_rollout(share: float) -> Sequence[Figure]:
    """All workers are replaced, one after the other, while calls arrive."""
    every_s = ARRIVE_EVERY_S if share > SMALLEST else 3 * ARRIVE_EVERY_S
    rollouts, workers = scaled(ROLLOUTS, share), WORKERS if share > SMALLEST else 2
    return asyncio.run(_rollouts(rollouts, workers, every_s))


async def _rollouts(rollouts: int, workers: int, every_s: float) -> Sequence[Figure]:
    codes: list[int] = []
    async with running(workers, DRAIN_BUDGET_S="5") as fleet:
        placed: list[asyncio.Task[Report]] = []
        async with asyncio.TaskGroup() as tasks:
            arriving = tasks.create_task(_arrive(fleet, tasks, placed, every_s))
            for number in [*range(workers)] * rollouts:
                code = await _replace(fleet, number)
                codes.append(code)
            arriving.cancel()
    reports = [each.result() for each in placed]
    moved = sum(report.streams > 1 for report in reports)
    return [
        Figure(f"rollouts of {workers} workers", rollouts, None),
        Figure("calls that arrived meanwhile", len(reports), None),
        Figure("of these moved from worker to worker", moved, None),
        Figure("calls refused, or dropped", _dropped(reports), exactly(0)),
        *_in_vain(reports),
        Figure("workers that did not exit with 0", sum(code != 0 for code in codes), exactly(0)),
    ]


async def _arrive(
    fleet: Fleet,
    tasks: asyncio.TaskGroup,
    placed: list[asyncio.Task[Report]],
    every_s: float,
) -> None:
    while True:
        placed.append(tasks.create_task(fleet.place(TWO_TURNS, AS_MEASURED)))
        await asyncio.sleep(every_s)


async def _replace(fleet: Fleet, number: int) -> int:
    """Stop a worker, and put another in its place. What stands before it asks it whether to."""
    fleet.send(number, signal.SIGTERM)
    await fleet.log(number).until(lambda line: '"event": "draining"' in line)
    fleet.slots[number].ready = False
    code = await fleet.wait(number)
    await fleet.start(number)
    return code


def _dropped(reports: Sequence[Report]) -> int:
    """Calls that somebody else ended than their callers."""
    return sum(report.ended_by != "caller" or bool(report.announced) for report in reports)


def _in_vain(reports: Sequence[Report]) -> Sequence[Figure]:
    """What a caller whose call goes on may have met all the same."""
    problems = [problem for report in reports for problem in report.problems]
    impatient = sum(problem.startswith("step ") for problem in problems)
    return [
        Figure("webhooks or streams refused", len(problems) - impatient, exactly(0)),
        Figure("callers who gave up waiting", impatient, exactly(0)),
    ]


ROWS = (
    Row(6, "SIGTERM, with 20 minutes", measure_patient),
    Row(7, "SIGTERM, with 0 and 10 s", measure_short),
    Row(7, "SIGTERM, with 120 s", measure_fargate, virtual=True, cost_s=200),
    Row(8, "workers are replaced under arrivals", measure_rollout),
)
