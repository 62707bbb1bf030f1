"""Rows 3, 4 and 5: a worker is stopped and goes on as a zombie; its event loop is blocked."""

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.server.watchdog import EXIT_CODE
from telephony.simulator import wire
from telephony.simulator.report import AgentHeard, CallEvent, Report
from tests.end_to_end import twilio
from tests.end_to_end.scripts import HANG_UP, SAY_GARDEN, SAY_MORGAN, caller
from tests.end_to_end.watching import Watch
from tests.faults.fleet import Fleet, percentile, running, side_by_side
from tests.faults.table import SMALLEST, Figure, Row, at_least, at_most, exactly, scaled
from tests.faults.telling_worker import Told

RUNS = 20
FLEETS = 5
"""So many runs at once, each with workers and a Redis of its own: they mostly wait."""

STOPPED_S = 10.0
REPLY_MS = 1_500
"""Of the reply that plays when the loop is blocked, from its first sound on."""

LEAD_IS_THERE_S = 0.4
"""After the first sound of a reply, which comes four times as fast as it is spoken."""

TALK = caller(SAY_MORGAN, SAY_GARDEN, HANG_UP)
PATIENT = caller(SAY_MORGAN, 'after_ms = 14000\nsay = "q2"', HANG_UP)
"""Says something, and waits for longer than the worker is stopped."""


def measure_zombie(share: float) -> Sequence[Figure]:
    """SIGSTOP for 10 s: only the lease tells that nobody holds the call."""
    runs = scaled(RUNS, share)
    found = asyncio.run(side_by_side(runs, FLEETS, _zombies))
    gone_s = [s for _, _, each_s in found for s in each_s]
    return [
        Figure("workers stopped for 10 s", len(gone_s), exactly(runs)),
        Figure(
            "calls not taken by another worker meanwhile",
            runs - sum(taken for taken, _, _ in found),
            exactly(0),
        ),
        Figure("lines interleaved", sum(lines for _, lines, _ in found), exactly(0)),
        Figure(
            "zombie gone after it went on, longest", max(gone_s), at_most(1), "s", wall_time=True
        ),
    ]


async def _zombies(runs: int) -> tuple[int, int, list[float]]:
    """How many calls were taken, how many lines interleaved, and when each zombie was gone."""
    taken, interleaved, gone_s = 0, 0, list[float]()
    async with running(2) as fleet:
        for run in range(runs):
            victim, other = run % 2, 1 - run % 2
            fleet.first = victim
            call_sid, heard = twilio.new_call_sid(), Watch[CallEvent]()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fleet.place(PATIENT, on_event=heard, call_sid=call_sid))
                await heard.until(lambda event: isinstance(event, AgentHeard), times=2)
                fleet.first = other
                zombie = fleet.send(victim, signal.SIGSTOP)
                await asyncio.sleep(STOPPED_S)
                fleet.send(victim, signal.SIGCONT)
                goes_on_s = time.monotonic()
                ended = await _ended(fleet, zombie, call_sid)
                gone_s.append(ended.at_s - goes_on_s)
            [call] = (await fleet.stored([call_sid])).values()
            epochs = [int(line["epoch"]) for line in call.lines]
            taken += call.record["epoch"] == "2"
            interleaved += sum(before > after for before, after in pairwise(epochs))
            numbers = [int(line["n"]) for line in call.lines]
            interleaved += numbers != list(range(1, len(numbers) + 1))
    return taken, interleaved, gone_s


def measure_stall(share: float) -> Sequence[Figure]:
    """The loop is blocked for 500 ms while a reply plays, when the lead is there: nothing of it is
    heard. And, told only, at its first sound, when no more of it can be at Twilio than what Gemini
    had sent by then.
    """
    when = (LEAD_IS_THERE_S,) if share == SMALLEST else (LEAD_IS_THERE_S, 0)
    found = asyncio.run(side_by_side(scaled(RUNS, share), FLEETS, partial(_stalls, when)))
    reports = [report for each in found for report in each.reports]
    gaps = [
        Figure(
            f"gaps, {after_s:g} s after the first sound",
            sum(each.gaps_ms[after_s] for each in found),
            exactly(0) if after_s else None,
            "ms",
        )
        for after_s in when
    ]
    logged = sum(each.logged for each in found)
    return [
        Figure("stalls of 500 ms", len(reports), None),
        Figure("of these logged with the place", logged, at_least(len(reports))),
        Figure("calls with a problem", sum(bool(r.problems) for r in reports), exactly(0)),
        *gaps,
        Figure("most audio sent in a second", _fastest(reports), at_most(2), "s", wall_time=True),
    ]


@dataclass(frozen=True, slots=True)
class _Stalled:
    """What one worker's stalls did: the gaps by when the stall was."""

    reports: Sequence[Report]
    logged: int
    gaps_ms: Mapping[float, int]


async def _stalls(when: Sequence[float], runs: int) -> _Stalled:
    reports: list[Report] = []
    gaps_ms = dict.fromkeys(when, 0)
    async with running(1) as fleet:
        for _ in range(runs):
            for after_s in when:
                heard = Watch[CallEvent]()
                async with asyncio.TaskGroup() as tasks:
                    placed = tasks.create_task(fleet.place(TALK, on_event=heard))
                    began = await heard.until(lambda event: isinstance(event, AgentHeard), times=2)
                    await asyncio.sleep(after_s)
                    fleet.send(0, signal.SIGUSR1)
                reports.append(placed.result())
                gaps_ms[after_s] += sum(
                    each.length_ms
                    for each in placed.result().silences
                    if began.at_ms <= each.at_ms < began.at_ms + REPLY_MS
                )
        logged = [line for line in fleet.log(0).seen if '"event loop is stuck"' in line]
        where = sum("telling_worker" in line for line in logged)
    return _Stalled(reports, where, gaps_ms)


def _fastest(reports: Sequence[Report]) -> float:
    """The most seconds of audio that came within any one second."""
    most_ms = 0.0
    for line in (line for report in reports for line in report.lines):
        media = [
            (each.at_ms, len(each.message.media.payload) / PHONE_SAMPLES_PER_MS)
            for each in line.received
            if isinstance(each.message, wire.Media)
        ]
        for at_ms, _ in media:
            most_ms = max(most_ms, sum(ms for t, ms in media if at_ms <= t < at_ms + 1_000))
    return most_ms / 1_000


def measure_stuck(share: float) -> Sequence[Figure]:
    """The loop is blocked for ever; a thread ends the process, and Twilio goes on elsewhere."""
    runs = scaled(RUNS, share)
    found = asyncio.run(side_by_side(runs, FLEETS, _stuck))
    resumed_s = [s for _, each_s in found for s in each_s]
    return [
        Figure("event loops blocked for ever", runs, None),
        Figure(
            "processes ended by their watchdog", sum(exits for exits, _ in found), exactly(runs)
        ),
        Figure("calls not resumed", runs - len(resumed_s), exactly(0)),
        Figure(
            "from the stall to the resume, p95",
            percentile(resumed_s, 0.95),
            at_most(6),
            "s",
            wall_time=True,
        ),
    ]


async def _stuck(runs: int) -> tuple[int, list[float]]:
    """How many ended with the watchdog's code, and how soon each call went on."""
    resumed_s, exits = list[float](), 0
    async with running(2) as fleet:
        for run in range(runs):
            victim = run % 2
            fleet.first = victim
            call_sid, heard = twilio.new_call_sid(), Watch[CallEvent]()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fleet.place(TALK, on_event=heard, call_sid=call_sid))
                await heard.until(lambda event: isinstance(event, AgentHeard), times=2)
                fleet.first = 1 - victim
                fleet.send(victim, signal.SIGUSR2)
                stuck_s = time.monotonic()
                exits += await fleet.wait(victim) == EXIT_CODE
                again = await _second_stream(fleet, call_sid)
                resumed_s.append(again.at_s - stuck_s)
            if run + 1 < runs:
                await fleet.start(victim)
    return exits, resumed_s


async def _ended(fleet: Fleet, worker: int, call_sid: str) -> Told:
    return await fleet.told.until(
        lambda told: (told.worker, told.call_sid, told.what) == (worker, call_sid, "end")
    )


async def _second_stream(fleet: Fleet, call_sid: str) -> Told:
    return await fleet.told.until(
        lambda told: (told.what, told.call_sid) == ("stream", call_sid), times=2
    )


ROWS = (
    Row(3, "a worker is stopped for 10 s and goes on", measure_zombie),
    Row(4, "an event loop is blocked for 500 ms", measure_stall),
    Row(5, "an event loop is blocked for more than 5 s", measure_stuck),
)
