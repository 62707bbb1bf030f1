"""Many calls at once that come to the end of a day's money together."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis

from agent.conversation.commands import SaveCheckpoint
from agent.conversation.meter import NANO
from agent.store.budgets import Account, Booked, Booking, Budgets
from telephony.call.commands import Command, EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import Event
from tests.end_to_end.records import spent
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import Gemini, place, serving

TALKS = caller(*[SAY_MORGAN] * 8, HANG_UP)
"""Talks on for about as long as the first minute's money suffices."""

PERSONA = """\
name = "Reception"
instructions = "You are the reception."
[limits]
usd_per_day = {usd}
[says]
goodbye = "Goodbye."
spent = "Not today."
"""


@dataclass(slots=True)
class Race:
    """What came of it; money in US dollars.

    Args:
        cap: What the day might cost.
        begun: How many calls began.
        turned_away: How many did not, and heard why.
        limited: How many of those that began ended with a goodbye because of the cap.
        problems: What else went wrong.
        cost: What all of them have cost.
        booked: What the store says of it when all is over.
        most_booked: The most that was booked at any time, with what was reserved.
        dearest_turn: What the dearest turn of a model has cost.
    """

    cap: float
    begun: int = 0
    turned_away: int = 0
    limited: int = 0
    problems: list[str] = field(default_factory=list)
    cost: float = 0.0
    booked: float = 0.0
    most_booked: float = 0.0
    dearest_turn: float = 0.0


async def race(gemini: Gemini, redis_url: str, folder: Path, calls: int, cap: float) -> Race:
    """Place calls at once, on two workers, with money for some of them.

    Args:
        gemini: The model.
        redis_url: An empty Redis.
        folder: Where the persona's file may be written.
        calls: How many.
        cap: What the day may cost, in US dollars.
    """
    persona = folder / "reception.toml"
    persona.write_text(PERSONA.format(usd=cap))
    found, models = Race(cap), defaultdict[str, int](int)

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, SaveCheckpoint):
                turn = command.checkpoint.spent - models[call_sid]
                found.dearest_turn = max(found.dearest_turn, turn / NANO)
                models[call_sid] = command.checkpoint.spent
            elif isinstance(command, EndCall):
                found.begun += 1
                found.cost += (command.cost or 0) / NANO
                found.limited += command.reason is EndedReason.LIMIT

    async with (
        serving(gemini, observe, redis_url=redis_url, personas=persona) as one,
        serving(gemini, observe, redis_url=redis_url, personas=persona) as other,
    ):
        for each in (one, other):
            till = each.server.worker.till
            till._budgets = Noting(till._budgets, found)
        urls = (one.url, other.url)
        await asyncio.gather(*(_place(urls[n % 2], found) for n in range(calls)))
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        found.booked = (await spent(redis))["all"] / NANO
    return found


async def _place(url: str, found: Race) -> None:
    try:
        report = await place(TALKS, url)
    except TimeoutError:  # so that one call does not end the others
        found.problems.append("the call did not come to its end")
        return
    found.turned_away += report.announced == ("Not today.",)
    found.problems += report.problems


class Noting:
    """Budgets of which each answer is noted."""

    def __init__(self, budgets: Budgets, found: Race) -> None:
        self._found = found
        self._budgets = budgets

    async def book(self, booking: Booking) -> Booked:
        booked = await self._budgets.book(booking)
        self._found.most_booked = max(self._found.most_booked, booked.day / NANO)
        return booked

    async def remember(self, call_sid: str, account: Account) -> None:
        await self._budgets.remember(call_sid, account)
