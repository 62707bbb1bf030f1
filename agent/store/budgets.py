"""What calls have cost in a day, over all workers, and what they have reserved to go on with.

One key for each agent and day, so that one script checks the caps and books:

    offhook:spent:<day>:<agent>   hash, in nano-dollars; kept for two days after the last booking
        all                       what all calls of the day have booked
        caller:<hash>             what the calls of one caller have booked
        call:<id>            what one call has booked

A call is booked as a whole: the script adds only what its new amount exceeds the old one by. So a
booking may be repeated, by any worker, and nothing is counted twice.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Protocol, Self

from redis.asyncio import Redis

from agent.conversation.meter import NO_CAPS, Caps
from agent.store import scripts
from agent.store.failures import store_away

KEPT_S = 2 * 24 * 3600
"""How long a day is kept after its last booking. No call lasts longer than a day."""

type How = Literal["ask", "begin", "go on", "end"]
type Spent = Literal["", "caller", "day"]
"""Whose cap does not allow it; "" if both do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a call's money is booked. It stays the same for the whole call.

    Args:
        agent: The name of the agent that answers.
        day: The day on which the call began, such as ``2026-11-30``.
        caller: A keyed hash of the caller's number; "" if nobody knows it.
    """

    agent: str
    day: str
    caller: str

    def to_json(self) -> str:
        """For the call's record."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The account in a call's record; None if there is none. A release before this one or
        after it may have written it: fields that are not known here are left out.
        """
        if not text:
            return None
        kept = json.loads(text)
        return cls(**{each.name: kept[each.name] for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be booked for a call, all of it from its beginning.

    Args:
        account: Where.
        conversation_id: For which call.
        spent: What it has cost, in nano-dollars. This is booked in any case.
        ahead: What it needs to go on. This is booked only if the caps allow it.
        caps: The caps.
        how: To ``ask``, nothing is booked, whatever the answer. To ``begin`` a call, nothing is
            booked if the caps do not allow it, or if the call has begun before. At its ``end``,
            what it had reserved and not spent is given back.
    """

    account: Account
    conversation_id: str
    spent: int
    ahead: int = 0
    caps: Caps = NO_CAPS
    how: How = "go on"


@dataclass(frozen=True, slots=True)
class Booked:
    """The answer.

    Args:
        refused: Whose cap does not allow `ahead`; "" if both do.
        day: What is now booked for all calls of the day.
        caller: What is now booked for all calls of the caller.
    """

    refused: Spent
    day: int
    caller: int


class Budgets(Protocol):
    """The budgets of all workers. Every method may raise `StoreAway`."""

    async def book(self, booking: Booking) -> Booked:
        """Check the caps and book, in one step."""
        ...

    async def remember(self, conversation_id: str, account: Account) -> None:
        """Write the account into the call's record, for other workers. No effect without one."""
        ...


class RedisBudgets:
    """The `Budgets` in Redis."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._book = client.register_script(scripts.BOOK)
        self._remember = client.register_script(scripts.REMEMBER_ACCOUNT)

    async def book(self, booking: Booking) -> Booked:
        """See `Budgets.book`."""
        account, caps = booking.account, booking.caps
        args = (KEPT_S, booking.conversation_id, account.caller, booking.spent, booking.ahead)
        with store_away():
            answer: list[Any] = await self._book(
                keys=[_key(account)], args=(*args, caps.caller, caps.day, booking.how)
            )
        refused, day, caller = answer
        return Booked(refused, int(day), int(caller))

    async def remember(self, conversation_id: str, account: Account) -> None:
        """See `Budgets.remember`."""
        with store_away():
            await self._remember(
                keys=[f"offhook:{{{conversation_id}}}:call"], args=(account.to_json(),)
            )


class KnownBudgets:
    """What one worker knows of the budgets: for as long as the store is away.

    It follows what the store answers, and books by the same rules as the store's script.
    """

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], dict[str, int]] = {}

    def learn(self, booking: Booking, booked: Booked) -> None:
        """The store has booked this."""
        spent = self._day(booking.account)
        spent["all"] = booked.day
        spent[f"caller:{booking.account.caller}"] = booked.caller
        if booking.how == "ask" or (booked.refused and booking.how == "begin"):
            return
        before = spent.get(f"call:{booking.conversation_id}", 0)
        spent[f"call:{booking.conversation_id}"] = _amount(
            booking, before, refused=bool(booked.refused)
        )

    def book(self, booking: Booking) -> Booked:
        """Check the caps by what is known here, and book."""
        account, caps = booking.account, booking.caps
        spent = self._day(account)
        call, caller = f"call:{booking.conversation_id}", f"caller:{account.caller}"
        before, total, theirs = (spent.get(name, 0) for name in (call, "all", caller))
        if booking.how == "begin" and call in spent:
            return Booked("", total, theirs)
        more = booking.spent + booking.ahead - before
        refused: Spent = ""
        if booking.how != "end" and more > 0:
            if 0 < caps.day < total + more:
                refused = "day"
            elif account.caller and 0 < caps.caller < theirs + more:
                refused = "caller"
        if booking.how == "ask" or (refused and booking.how == "begin"):
            return Booked(refused, total, theirs)
        amount = _amount(booking, before, refused=bool(refused))
        spent[call] = amount
        spent["all"] = total = total + amount - before
        if account.caller:
            spent[caller] = theirs = theirs + amount - before
        return Booked(refused, total, theirs)

    def _day(self, account: Account) -> dict[str, int]:
        """The amounts of a day. Only the newest three days are kept."""
        key = (account.day, account.agent)
        if key not in self._days:
            newest = sorted({day for day, _ in self._days} | {account.day})[-3:]
            self._days = {old: spent for old, spent in self._days.items() if old[0] in newest}
        return self._days.setdefault(key, {})


def _amount(booking: Booking, before: int, *, refused: bool) -> int:
    """What is booked for a call afterwards."""
    if booking.how == "end":
        return booking.spent
    return max(before, booking.spent + (0 if refused else booking.ahead))


def _key(account: Account) -> str:
    return f"offhook:spent:{account.day}:{account.agent}"
