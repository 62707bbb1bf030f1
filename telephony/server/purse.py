"""The money of calls: what a call may cost in a day is reserved, booked and given back.

Before a call begins, `Till.admits` reserves its first minute. During the call, its `Purse` books
what the meter tells, and says when the day's money is spent; the call's store writer runs it, so no
audio ever waits for it. At the end, what was reserved and not spent is given back.

While the store is away, calls go on, and the caps hold by what this worker knows. What was spent
meanwhile is booked once the store is back, for a call is always booked as a whole.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import SaveCheckpoint
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import NANO, Caps, Tariffs
from agent.money.ahead import Ahead, first_minute
from agent.persona.agents import Agent
from agent.persona.hours import local
from agent.store.base import StoreAway
from agent.store.budgets import Account, Booked, Booking, Budgets, KnownBudgets, Spent
from telephony.server.admission import Admission, wall_time_ms
from telephony.server.patience import patiently

log = structlog.get_logger(__name__)


class Till:
    """The money of this worker's calls.

    Args:
        budgets: What all workers have booked.
        admission: Makes keyed hashes of callers.
    """

    def __init__(self, budgets: Budgets, admission: Admission) -> None:
        self._budgets = budgets
        self._admission = admission
        self._known = KnownBudgets()

    def account(self, form: Mapping[str, str], agent: Agent) -> Account:
        """Where a call's money is booked that begins now.

        Args:
            form: The fields of its webhook; empty if there is none at hand.
            agent: Who answers.
        """
        day = local(wall_time_ms(), agent.persona.timezone).date().isoformat()
        name = agent.persona.name
        return Account(name, day, self._admission.spender(form, name) if form else "")

    async def admits(self, call_sid: str, account: Account, caps: Caps, tariffs: Tariffs) -> Spent:
        """Reserve the first minute of a call. May be repeated.

        Returns:
            Whose money does not suffice; "" if the call may begin.
        """
        booking = Booking(account, call_sid, 0, first_minute(tariffs), caps, "begin")
        return (await self._book(booking)).refused

    async def suffices(self, account: Account, caps: Caps, tariffs: Tariffs) -> Spent:
        """Ask whether a call could begin that is not placed yet. Nothing is reserved.

        Returns:
            Whose money does not suffice; "" if it does.
        """
        booking = Booking(account, "", 0, first_minute(tariffs), caps, "ask")
        try:
            return (await self.book(booking)).refused
        except StoreAway:
            return self._known.book(booking).refused

    async def remember(self, call_sid: str, account: Account) -> None:
        """Let other workers know the account."""
        with suppress(StoreAway):  # whoever goes on with the call books it under its own day
            await patiently(self._budgets.remember(call_sid, account))

    def purse(
        self,
        call_sid: str,
        account: Account | None,
        caps: Caps,
        tariffs: Tariffs,
        checkpoint: Checkpoint | None = None,
    ) -> "Purse | None":
        """The purse of a call, new or continued; None if it needs none: nothing is capped, or the
        prices are not known.

        Args:
            call_sid: The call.
            account: Where its money is booked.
            caps: The caps.
            tariffs: What it costs.
            checkpoint: What is known of it from before.
        """
        if account is None or not caps.any or not tariffs.known:
            return None
        spent = 0 if checkpoint is None else checkpoint.spent
        return Purse(self, Booking(account, call_sid, 0, 0, caps), Ahead(tariffs, spent))

    async def settle(self, call_sid: str, account: Account, cost: int) -> None:
        """Book what a call has cost that is over, and give back what it had reserved."""
        await self._book(Booking(account, call_sid, cost, how="end"))

    async def pay_besides(
        self, call_sid: str, account: Account, usd: float, what: str = "summary"
    ) -> None:
        """Book what something besides a call has cost, such as its summary, in US dollars."""
        await self._book(Booking(account, f"{call_sid}/{what}", round(usd * NANO)))

    async def _book(self, booking: Booking) -> Booked:
        try:
            return await self.book(booking)
        except StoreAway as away:
            log.warning("money not booked", call_sid=booking.conversation_id, why=away.why)
            return self._known.book(booking)

    async def book(self, booking: Booking) -> Booked:
        """Book in the store. Raises `StoreAway`."""
        booked = await patiently(self._budgets.book(booking))
        self._known.learn(booking, booked)
        return booked

    def book_here(self, booking: Booking) -> Booked:
        """Book by what this worker knows, while the store is away."""
        return self._known.book(booking)


class Purse:
    """One call's money. Its store writer tells it what the call costs, and has it book."""

    def __init__(self, till: Till, booking: Booking, ahead: Ahead) -> None:
        self._till = till
        self._booking = booking
        self._ahead = ahead
        self._is_booked = True
        self._is_told = False

    def note(self, command: SaveCheckpoint) -> None:
        """The call goes on, and has cost this."""
        if command.cost is None:
            return
        ahead = self._ahead.takes(command.checkpoint.spent)
        self._want(command.cost, 0 if self._is_told else ahead)

    def close(self, cost: int | None) -> None:
        """The call is over, and has cost this."""
        spent = self._booking.spent if cost is None else cost
        self._booking = replace(self._booking, how="end")
        self._want(spent, 0)
        self._is_booked = False

    async def book(self) -> BudgetSpent | None:
        """Book what is to be booked. Returns the event once a cap is reached.

        Raises:
            StoreAway: Call `book_here`, and this again later.
        """
        if self._is_booked:
            return None
        booking = self._booking
        booked = await self._till.book(booking)
        self._is_booked = self._booking is booking
        return self._told(booked)

    def book_here(self) -> BudgetSpent | None:
        """The same while the store is away, by what this worker knows."""
        return None if self._is_booked else self._told(self._till.book_here(self._booking))

    def _want(self, spent: int, ahead: int) -> None:
        wanted = replace(self._booking, spent=spent, ahead=ahead)
        self._is_booked = self._is_booked and wanted == self._booking
        self._booking = wanted

    def _told(self, booked: Booked) -> BudgetSpent | None:
        if not booked.refused or self._is_told:
            return None
        self._is_told = True
        self._booking = replace(self._booking, ahead=0)
        return BudgetSpent(booked.refused)
