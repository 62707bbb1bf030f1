"""What every store promises about a day's money, and what one worker knows of it alone."""

import asyncio
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from agent.conversation.meter import Caps
from agent.store.budgets import KEPT_S, Account, Booked, Booking, KnownBudgets
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

DAY = Account("Ada", "2026-11-30", "a-caller")
CAPS = Caps(caller=60, day=100)


def begin(call_sid: str, ahead: int, caps: Caps = CAPS, account: Account = DAY) -> Booking:
    return Booking(account, call_sid, 0, ahead, caps, "begin")


async def test_calls_begin_for_as_long_as_the_caps_suffice(store: RedisStore) -> None:
    other = replace(DAY, caller="another")
    book = store.budgets.book
    assert await book(begin("CA1", 60)) == Booked("", 60, 60)
    assert await book(begin("CA2", 1)) == Booked("caller", 60, 60)
    assert await book(begin("CA3", 41, account=other)) == Booked("day", 60, 0)
    assert await book(begin("CA3", 40, account=other)) == Booked("", 100, 40)
    assert await book(begin("CA4", 1, Caps(), replace(DAY, caller=""))) == Booked("", 101, 0)
    assert await book(begin("CA1", 60, account=replace(DAY, day="2026-12-01"))) == Booked(
        "", 60, 60
    )


async def test_who_asks_books_nothing(store: RedisStore) -> None:
    book = store.budgets.book
    assert await book(replace(begin("", 61), how="ask")) == Booked("caller", 0, 0)
    assert await book(replace(begin("", 60), how="ask")) == Booked("", 0, 0)
    assert await book(begin("CA1", 60)) == Booked("", 60, 60)
    assert await book(replace(begin("", 1), how="ask")) == Booked("caller", 60, 60)


async def test_of_many_that_race_for_the_last_cent_only_those_begin_that_it_pays(
    backend: "Backend",
) -> None:
    stores = [backend.worker() for _ in range(5)]
    account = replace(DAY, caller="")
    answers = await asyncio.gather(
        *(stores[n % 5].budgets.book(begin(f"CA{n}", 7, account=account)) for n in range(50))
    )
    assert sum(not answer.refused for answer in answers) == 100 // 7
    assert max(answer.day for answer in answers) == 98


async def test_a_repeated_booking_counts_once_and_the_end_gives_back(store: RedisStore) -> None:
    book = store.budgets.book
    for _ in range(2):
        assert await book(begin("CA1", 30)) == Booked("", 30, 30)
    goes_on = Booking(DAY, "CA1", 20, 15, CAPS)
    for _ in range(2):
        assert await book(goes_on) == Booked("", 35, 35)
    assert await book(replace(goes_on, ahead=0)) == Booked("", 35, 35), "only the end gives back"
    assert await book(begin("CA1", 30)) == Booked("", 35, 35), "it has begun"
    for _ in range(2):
        assert await book(replace(goes_on, spent=22, how="end")) == Booked("", 22, 22)


async def test_what_was_spent_is_booked_whatever_the_caps_and_no_more_is_reserved(
    store: RedisStore,
) -> None:
    book = store.budgets.book
    await book(begin("CA1", 50))
    assert await book(Booking(DAY, "CA1", 45, 20, CAPS)) == Booked("caller", 50, 50)
    assert await book(Booking(DAY, "CA1", 65, 0, CAPS)) == Booked("caller", 65, 65)
    assert await book(Booking(DAY, "CA1", 65, 0, CAPS)) == Booked("", 65, 65)


async def test_a_day_is_forgotten_and_a_call_remembers_its_account(
    store: RedisStore, call_sid: str
) -> None:
    await store.budgets.book(begin(call_sid, 5))
    lives_s = await store._client.ttl("offhook:spent:2026-11-30:Ada")
    assert KEPT_S - 60 < lives_s <= KEPT_S
    await store.budgets.remember(call_sid, DAY)
    assert await store.look_up(call_sid) is None, "it makes no record"
    await store.open_call(call_sid)
    await store.budgets.remember(call_sid, DAY)
    record = await store.look_up(call_sid)
    taken = await store.take(call_sid, "a", "worker-1", 60)
    assert record is not None
    assert taken is not None
    assert Account.from_json(record.account) == DAY
    assert taken.account == record.account


def test_an_account_that_another_release_has_written_is_read() -> None:
    assert Account.from_json(DAY.to_json().replace("}", ',"more":1}')) == DAY
    assert Account.from_json("") is None


async def test_what_one_worker_knows_is_what_the_store_answers(store: RedisStore) -> None:
    random = Random(14)
    known, learnt = KnownBudgets(), KnownBudgets()
    for _ in range(300):
        booking = Booking(
            Account("Ada", random.choice(["d1", "d2"]), random.choice(["", "a", "b"])),
            f"CA{random.randint(1, 6)}",
            random.randint(0, 40),
            random.randint(0, 20),
            Caps(random.choice([0, 40, 80]), random.choice([0, 60, 120])),
            random.choice(["ask", "begin", "go on", "go on", "end"]),
        )
        booked = await store.budgets.book(booking)
        assert known.book(booking) == booked
        learnt.learn(booking, booked)
    last = Booking(Account("Ada", "d1", "a"), "CA7", 5)
    assert learnt.book(last) == await store.budgets.book(last)


def test_one_worker_keeps_the_newest_three_days() -> None:
    known = KnownBudgets()
    for day in ("1", "2", "3", "4", "2"):
        known.book(begin("CA1", 5, account=replace(DAY, day=day)))
    assert known.book(begin("CA2", 1, account=replace(DAY, day="2"))).day == 6
    assert known.book(begin("CA2", 1, account=replace(DAY, day="1"))).day == 1
