"""A Twilio on paper for warm transfers: two calls, a conference, and workers that may die anywhere.

Time is virtual. Each webhook is handled by one worker; if it dies in the middle, Twilio asks the
next one. `Person` says what the target does, and `Caller` when the caller hangs up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from typing import Any, Self, cast

from agent.conversation.next_step import Leg, Move, NextStep, Stage
from agent.persona.agents import BUILT_IN, Agents, Destination
from agent.store.base import CallRecord, Status
from agent.store.promises import Store
from telephony.server.on_hold import Rest
from telephony.server.personas import Personas
from telephony.server.placing import Placement
from telephony.server.twilio_rest import RestRefused
from telephony.server.warm import OUTCOMES, WarmTransfers
from telephony.twilio.conference import OfStep

CALLER, LEG = "CA0", "CA1"
OF = OfStep(CALLER, 1)
HELD = NextStep(1, "transfer", "sales", "agent", Stage.RUNNING, "r1").held("Ada calls.", "+1415")
ROUND_MS, BRIEFING_MS = 12_000, 10_000
LONGEST_MS, NEVER_MS = 600_000, 10**9


class KilledError(BaseException):
    """The worker is gone."""


@dataclass(frozen=True, slots=True)
class Person:
    """What the target does.

    Args:
        rings_ms: How long it rings before they answer, or it ends with `never`.
        never: The last status of a call that nobody answers; "" if somebody does.
        key: The key that they press after the briefing; "" for none.
        hangs_up_ms: After what time in the briefing they hang up; 0 for never.
        answered_by: Twilio's word for who has answered.
        talks_ms: How long they talk before they hang up; 0 for ever.
        lost_ms: After what time their call ends, because the answer to their key was lost.
    """

    rings_ms: int = 3_000
    never: str = ""
    key: str = ""
    hangs_up_ms: int = 0
    answered_by: str = ""
    talks_ms: int = 0
    lost_ms: int = 0


@dataclass
class Paper:
    """What Twilio and the store know.

    Args:
        person: The target.
        leaves_ms: When the caller hangs up.
        refuses: Whether every call that is placed is refused.
        twice: Whether every webhook comes twice, at once to two workers.
        late: Whether the status callbacks of the leg come 2 s late.
        kill_at: Before which operation the first worker dies; 0 for never.
        dies_ms: When it dies, whatever it does.
    """

    person: Person
    leaves_ms: int = NEVER_MS
    refuses: bool = False
    twice: bool = False
    late: bool = False
    kill_at: int = 0
    dies_ms: int = NEVER_MS
    now_ms: int = 0
    caller: str = "hold"
    leg: str = ""
    step: NextStep = HELD
    completed: bool = False
    operations: int = 0
    dead: bool = False
    acts: list[str] = field(default_factory=list)
    watched: dict[str, int] = field(default_factory=dict)
    agenda: list[tuple[int, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)
    left_ms: int | None = None
    leg_ended_ms: int | None = None

    def __post_init__(self) -> None:
        self.workers = [_worker(self, first=first) for first in (True, False)]

    # Twilio.

    async def run(self) -> None:
        """Let it go on for ten minutes."""
        self.watched[CALLER] = 30_000
        self.at(0, self.music)
        self.at(100, lambda: self.asked(lambda worker: worker.waits(OF)))
        self.at(self.leaves_ms, self.caller_leaves)
        self.at(self.dies_ms, self.worker_dies)
        while self.agenda or self.watched:
            due_ms = min(self.watched.values(), default=NEVER_MS)
            next_ms = self.agenda[0][0] if self.agenda else NEVER_MS
            if min(due_ms, next_ms) >= LONGEST_MS:
                break
            if due_ms < next_ms:  # the workers look once a second
                self.now_ms = max(self.now_ms, due_ms) // 1_000 * 1_000 + 1_000
                await self.sweep()
            else:
                self.now_ms, _, what = heappop(self.agenda)
                await what()

    def at(self, in_ms: int, what: Callable[[], Awaitable[None]]) -> None:
        heappush(self.agenda, (self.now_ms + in_ms, next(self.numbers), what))

    async def asked[T](self, how: Callable[[WarmTransfers], Awaitable[T]]) -> T:
        """Ask one worker, or both at the same time, and then again; if one dies, the next."""
        if self.twice:
            answers = await asyncio.gather(*[self._one(how, worker) for worker in self.workers])
            answers += [await self._one(how, worker) for worker in self.workers]
        else:
            answers = [await self._one(how, self.workers[0])]
        lost = [await self._one(how, self.workers[1])] if None in answers else []
        return next(answer for (answer,) in filter(None, [*lost[::-1], *answers[::-1]]))

    async def _one[T](
        self, how: Callable[[WarmTransfers], Awaitable[T]], worker: WarmTransfers
    ) -> tuple[T] | None:
        """What one worker answers; None if it is dead, or dies."""
        if self.dead and worker is self.workers[0]:
            return None
        try:
            return (await how(worker),)
        except KilledError:
            return None

    async def worker_dies(self) -> None:
        self.dead = True

    async def music(self) -> None:
        if self.caller == "hold":
            rounds = self.now_ms // ROUND_MS
            await self.asked(lambda worker: worker.waits(OF, rounds))
            self.at(ROUND_MS, self.music)

    async def sweep(self) -> None:
        for worker in self.workers[self.dead :]:
            try:
                for call_sid in await worker.round():
                    await worker.look_after(call_sid)
            except KilledError:
                continue

    async def status(self, status: str) -> None:
        async def told() -> None:
            if status in {"initiated", "ringing", "in-progress"}:
                if unwanted := await self.asked(lambda worker: worker.changes(OF, LEG, status)):
                    await self.asked(lambda worker: worker.hang_up(unwanted))
                return
            outcome = OUTCOMES.get(status, "failed")

            async def ended(worker: WarmTransfers) -> None:
                if (step := await worker.ended(OF, LEG, outcome)) is not None:
                    await worker.wind_up(CALLER, step, leg_over=True)

            await self.asked(ended)

        self.at(2_000 if self.late else 50, told)

    async def end_leg(self, status: str = "completed") -> None:
        if self.leg in {"", "over"}:
            return
        was, self.leg, self.leg_ended_ms = self.leg, "over", self.now_ms
        await self.status(status)
        if was == "talks" and self.caller == "talks":
            await self.conference_over()

    async def conference_over(self) -> None:
        """One of the two has left: the caller's Dial is over."""
        await self.dial_over(over=False)

    async def dial_over(self, *, over: bool) -> None:
        async def told(worker: WarmTransfers) -> str:
            if self.step.leg is Leg.NONE:
                return ""
            found, moved = await worker.left(CALLER, self.step, over=over)
            if moved and found is not None:
                await worker.wind_up(CALLER, found, call_over=True)
            return "" if found is None else found.outcome

        outcome = await self.asked(told)
        if not over and self.caller in {"hold", "talks"}:
            self.caller = "over" if outcome == "completed" else "agent"
            self.completed = self.caller == "over"

    async def caller_leaves(self) -> None:
        if self.caller not in {"hold", "talks"}:
            return
        talked, self.caller, self.left_ms = self.caller == "talks", "over", self.now_ms
        self.completed = True
        if talked:
            await self.end_leg()
        await self.asked(lambda worker: worker.hung_up(CALLER, self.step))
        await self.dial_over(over=True)

    async def rings(self) -> None:
        self.leg = "rings"
        for status in ("initiated", "ringing"):
            await self.status(status)
        self.at(self.person.rings_ms, self.answers)

    async def answers(self) -> None:
        if self.leg != "rings":
            return
        if self.person.never:
            await self.end_leg(self.person.never)
            return
        self.leg = "briefed"
        await self.status("in-progress")
        by = self.person.answered_by
        await self.document(
            await self.asked(lambda worker: _wound_up(worker.answers(OF, LEG, by), worker))
        )

    async def document(self, told: str | None) -> None:
        if told is None or ("<Hangup" in told and "<Gather" not in told):
            await self.end_leg()
        elif "<Gather" in told:
            self.at(self.person.hangs_up_ms or BRIEFING_MS, self.keys)
        elif "<Conference" in told:
            lost_ms = self.person.lost_ms
            self.at(lost_ms or 200, self.end_leg if lost_ms else self.joins)

    async def keys(self) -> None:
        if self.leg != "briefed":
            return
        if self.person.hangs_up_ms or not self.person.key:
            await self.end_leg()
            return
        key = self.person.key
        await self.document(
            await self.asked(lambda worker: _wound_up(worker.presses(OF, LEG, key), worker))
        )

    async def joins(self) -> None:
        if self.leg != "briefed":
            return
        self.leg = "talks"
        if self.caller == "hold":
            self.caller = "talks"
            if self.person.talks_ms:
                self.at(self.person.talks_ms, self.end_leg)
        await self.asked(lambda worker: worker.joins(OF, LEG))


async def _wound_up(answer: Awaitable[tuple[str, NextStep | None]], worker: WarmTransfers) -> str:
    document, step = await answer
    if step is not None:
        await worker.wind_up(CALLER, step, leg_over=True)
    return document


class _Hands:
    """The hands of one worker: the store and the REST API, which fail once it is dead."""

    def __init__(self, paper: Paper, *, first: bool) -> None:
        self._paper, self._first = paper, first

    def _act(self, what: str = "") -> Paper:
        paper = self._paper
        if self._first:
            if paper.dead:
                raise KilledError
            paper.operations += 1
            if paper.operations == paper.kill_at:
                paper.dead = True
                raise KilledError
        if what:
            paper.acts.append(what)
        return paper

    # The store.

    async def look_up(self, call_sid: str) -> CallRecord:
        await asyncio.sleep(0)
        del call_sid
        paper = self._act()
        status: Status = "completed" if paper.completed else "in-progress"
        return CallRecord(status, "", 1, "w", None, next_step=paper.step)

    async def move(
        self, call_sid: str, n: int, move: Move, leg_id: str = ""
    ) -> tuple[NextStep, bool]:
        await asyncio.sleep(0)
        del call_sid, n
        paper = self._act()
        paper.step, moved = paper.step.moved(move, leg_id)
        return paper.step, moved

    async def watch(self, call_sid: str, within_ms: int, *, sooner: bool = False) -> None:
        await asyncio.sleep(0)
        paper = self._act()
        until_ms = paper.now_ms + within_ms
        paper.watched[call_sid] = (
            until_ms if sooner else max(until_ms, paper.watched.get(call_sid, 0))
        )

    async def unwatch(self, call_sid: str) -> None:
        await asyncio.sleep(0)
        self._act().watched.pop(call_sid, None)

    async def overdue(self, claim_ms: int) -> Sequence[str]:
        await asyncio.sleep(0)
        paper = self._act()
        due = [each for each, at_ms in paper.watched.items() if at_ms <= paper.now_ms]
        paper.watched.update(dict.fromkeys(due, paper.now_ms + claim_ms))
        return due

    @property
    def held(self) -> Self:
        """The leases, which are in the store as well."""
        return self

    async def hold(self, *_: object, **__: object) -> None:
        """A caller is on the way back; no ending depends on it."""
        await asyncio.sleep(0)
        self._act()

    # Twilio.

    async def place(self, placement: Placement) -> str:
        await asyncio.sleep(0)
        del placement
        paper = self._act("place")
        if paper.refuses:
            raise RestRefused("HTTP 400")
        paper.at(20, paper.rings)
        paper.leg = "queued"
        self._act()  # it may die before it hears of it
        return LEG

    async def redirect(self, call_sid: str, url: str) -> bool:
        await asyncio.sleep(0)
        del call_sid, url
        paper = self._act("redirect")
        if paper.caller == "hold":
            paper.caller, paper.step = "agent", paper.step.line_is_back()
            return True
        return False

    async def hang_up(self, call_sid: str) -> bool:
        await asyncio.sleep(0)
        del call_sid
        paper = self._act("hang up")
        was = paper.leg
        if was == "queued":
            paper.leg = "over"
        await paper.end_leg()
        return was != "over"

    async def goes_on(self, call_sid: str) -> bool:
        await asyncio.sleep(0)
        paper = self._act()
        if call_sid == CALLER:
            return paper.caller != "over"
        return paper.leg not in {"", "over"}


class _Personas:
    async def current(self) -> Agents:
        agent = BUILT_IN.default
        return Agents([replace(agent, transfers={"sales": Destination("+14155550101", True)})])


def _worker(paper: Paper, *, first: bool) -> WarmTransfers:
    hands = _Hands(paper, first=first)
    return WarmTransfers(
        "https://voice.example.com",
        cast("Store", hands),
        cast("Any", hands),
        cast("Personas", _Personas()),
        rest=cast("Rest", hands),
        place=hands.place,
    )
