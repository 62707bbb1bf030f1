"""Calls while something happens to their Redis, and an audit of what it holds afterwards."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis

from agent.conversation.commands import AppendLine
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event, LinesStored, StoreAway
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.script import Script
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import place, serving
from tests.end_to_end.watching import Watch
from tests.faults.table import Figure, at_most, exactly

BUFFER_LIMIT_BYTES = 256 * 1024


@dataclass(slots=True)
class Lines:
    """An observer: what the calls wanted stored, and what they were told of the store."""

    wanted: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    stored: Counter[str] = field(default_factory=Counter)
    waited_bytes: int = 0
    away: Counter[str] = field(default_factory=Counter)
    told: Watch[Event] = field(default_factory=Watch)

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """One step of one call."""
        del now_ms
        match event:
            case LinesStored():
                self.stored[call_sid] = event.n
                self.told(event)
            case StoreAway():
                self.away[event.why] += 1
                self.told(event)
            case _:
                pass
        wanted = self.wanted[call_sid]
        wanted += [(c.line.role, c.line.text) for c in commands if isinstance(c, AppendLine)]
        waiting = wanted[self.stored[call_sid] :]
        waiting_bytes = sum(len(text.encode()) for _, text in waiting)
        self.waited_bytes = max(self.waited_bytes, waiting_bytes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the calls went."""

    reports: Sequence[Report]
    kept: Sequence[Stored]
    lines: Lines

    def figures(self) -> list[Figure]:
        """What every row about the store demands."""
        return [
            Figure("calls", len(self.reports), None),
            Figure("calls dropped", sum(bool(r.problems) for r in self.reports), exactly(0)),
            Figure("lines", sum(map(len, self.lines.wanted.values())), None),
            Figure("calls with lines lost, doubled or reordered", self._wrong(), exactly(0)),
            Figure(
                "text waiting in one call, most",
                self.lines.waited_bytes,
                at_most(BUFFER_LIMIT_BYTES),
                "B",
            ),
        ]

    def _wrong(self) -> int:
        found = {r.call_sid: call.said for r, call in zip(self.reports, self.kept, strict=True)}
        return sum(
            self.lines.wanted[call_sid] != said or not said for call_sid, said in found.items()
        )

    def response_ms(self) -> list[int]:
        """How long callers waited for each answer."""
        times = [turn.response_ms for report in self.reports for turn in report.turns]
        return sorted(ms for ms in times if ms is not None)


async def calls_during(
    script: Script,
    calls: int,
    redis_url: str,
    meanwhile: Callable[[Watch[CallEvent], Lines], Awaitable[None]],
    kept_in: str = "",
) -> Outcome:
    """Place calls to one worker; `meanwhile` runs beside them, and is told what they do.

    Args:
        script: What each caller does.
        calls: How many there are, at once.
        redis_url: The worker's REDIS_URL.
        meanwhile: Does something to the store, and undoes it.
        kept_in: Where the lines are to be found afterwards, if not there.
    """
    lines = Lines()
    happened: Watch[CallEvent] = Watch()
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        serving(gemini, lines, redis_url=redis_url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(_awaited(meanwhile(happened, lines)))
        placing = [
            tasks.create_task(place(script, worker.url, on_event=happened)) for _ in range(calls)
        ]
    reports = [each.result() for each in placing]
    async with client(kept_in or redis_url) as redis:
        kept = [await stored(redis, report.call_sid) for report in reports]
    return Outcome(reports, kept, lines)


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
