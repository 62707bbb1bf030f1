"""Calls while their Redis fails, and a check of its data afterwards.

The worker is a process of its own, so that its delays are not mixed with those of the simulators.
"""

import asyncio
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from redis.asyncio import Redis

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator import wire
from telephony.simulator.line import Line
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.script import Script
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.watching import Watch
from tests.faults.fleet import running
from tests.faults.table import Figure, at_most, exactly
from tests.faults.telling_worker import Told

BUFFER_LIMIT_BYTES = 256 * 1024


@dataclass(slots=True)
class Lines:
    """What the calls wanted stored, and what they were told of the store."""

    wanted: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    stored: Counter[str] = field(default_factory=Counter)
    waited_bytes: int = 0
    away: Counter[str] = field(default_factory=Counter)

    def __call__(self, told: Told) -> None:
        """One thing that the worker told."""
        wanted = self.wanted[told.call_sid]
        match told.what:
            case "line":
                wanted.append(told.said)
            case "stored":
                self.stored[told.call_sid] = told.n
            case "away":
                self.away[told.why] += 1
            case _:
                pass
        waiting = wanted[self.stored[told.call_sid] :]
        waiting_bytes = sum(len(text.encode()) for _, text in waiting)
        self.waited_bytes = max(self.waited_bytes, waiting_bytes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the calls went. `exit_code`: of the worker, which was told to stop after them."""

    reports: Sequence[Report]
    kept: Sequence[Stored]
    told: Sequence[Told]
    lines: Lines
    exit_code: int

    def figures(self) -> list[Figure]:
        """What every row about the store demands."""
        return [
            Figure("calls", len(self.reports), None),
            Figure("calls dropped", sum(bool(r.problems) for r in self.reports), exactly(0)),
            Figure("exit code of the worker", self.exit_code, exactly(0)),
            Figure("lines", sum(map(len, self.lines.wanted.values())), None),
            Figure("calls with lines lost, doubled or reordered", self.wrong(), exactly(0)),
            Figure(
                "text waiting in one call, most",
                self.lines.waited_bytes,
                at_most(BUFFER_LIMIT_BYTES),
                "B",
            ),
        ]

    def wrong(self) -> int:
        """Calls of which not exactly the lines are stored that were wanted, in order."""
        found = {r.call_sid: call.said for r, call in zip(self.reports, self.kept, strict=True)}
        return sum(
            self.lines.wanted[call_sid] != said or not said for call_sid, said in found.items()
        )

    def not_heard_whole(self) -> int:
        """Lines of the agent of which the caller heard only a part."""
        lines = [line for call in self.kept for line in call.lines if line["role"] == "agent"]
        return sum(line["heard"] != line["text"] for line in lines)

    def drained_s(self, since_s: float) -> float:
        """How long it took until each line was stored that was there at `since_s`, of the calls
        that went on for longer than that: what comes after its end a call is not told.
        """
        latest_s = since_s
        for call_sid in self.lines.wanted:
            told = [one for one in self.told if one.call_sid == call_sid]
            due = sum(one.what == "line" and one.at_s < since_s for one in told)
            stored_s = [one.at_s for one in told if one.what == "stored" and one.n >= due]
            latest_s = max([latest_s, *stored_s[:1]])
        return latest_s - since_s

    def response_ms(self) -> list[int]:
        """How long after each question the first audio of its answer came. As heard, that would be
        in steps of 20 ms, after Twilio's own 5 to 50.
        """
        return sorted(ms for report in self.reports for ms in _response_ms(report))

    def pacing_ms(self) -> list[int]:
        """How far each message of a reply was from the end of the one before it, as a length of
        time; those at a reply's beginning, which come at once, are left out.
        """
        return sorted(
            ms for report in self.reports for line in report.lines for ms in _pacing_ms(line)
        )


def _pacing_ms(line: Line) -> Iterator[int]:
    sent = [
        (each.at_ms, len(each.message.media.payload) // PHONE_SAMPLES_PER_MS)
        for each in line.received
        if isinstance(each.message, wire.Media)
    ]
    for (before_ms, length_ms), (at_ms, _) in pairwise(sent):
        if length_ms // 2 < at_ms - before_ms < 2 * length_ms:
            yield abs(at_ms - before_ms - length_ms)


def _response_ms(report: Report) -> list[int]:
    sent_ms = [
        each.at_ms
        for line in report.lines
        for each in line.received
        if isinstance(each.message, wire.Media)
    ]
    asked_ms = [t.started_ms - t.response_ms for t in report.turns if t.response_ms is not None]
    return [min(at_ms for at_ms in sent_ms if at_ms >= ms) - ms for ms in asked_ms]


async def calls_during(
    script: Script,
    calls: int,
    redis_url: str,
    meanwhile: Callable[[Watch[CallEvent], Watch[Told]], Awaitable[None]],
    kept_in: str = "",
    patience_s: float = 60.0,
) -> Outcome:
    """Place calls to one worker; `meanwhile` runs beside them, and sees what they and it tell.

    Args:
        script: What each caller does.
        calls: How many there are, at once.
        redis_url: The worker's REDIS_URL.
        meanwhile: Does something to the store, and undoes it.
        kept_in: Where the lines are to be found afterwards, if not there.
        patience_s: How long a call may last.
    """
    happened: Watch[CallEvent] = Watch()
    async with running(1, redis_url) as fleet:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_awaited(meanwhile(happened, fleet.told)))
            placing = [
                tasks.create_task(fleet.place(script, on_event=happened, patience_s=patience_s))
                for _ in range(calls)
            ]
        fleet.send(0, signal.SIGTERM)
        exit_code = await fleet.wait(0)
    lines = Lines()
    for told in fleet.told.seen:
        lines(told)
    reports = [each.result() for each in placing]
    async with client(kept_in or redis_url) as redis:
        kept = [await stored(redis, report.call_sid) for report in reports]
    return Outcome(reports, kept, fleet.told.seen, lines, exit_code)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    """A plain client."""
    async with Redis.from_url(url, decode_responses=True) as redis:
        yield redis


async def lines_in(redis: Redis, call_sid: str) -> int:
    """How many lines of a call it holds."""
    return int(await redis.xlen(f"offhook:{{{call_sid}}}:lines"))


async def _awaited(what: Awaitable[None]) -> None:
    await what
