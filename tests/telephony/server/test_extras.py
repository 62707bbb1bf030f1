"""What a call costs besides is in its record, once, and booked for its agent's day."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.meter import NANO
from agent.conversation.next_step import Asked, Kind
from agent.money.prices import INBOUND_USD, OUTBOUND_USD, SIP_USD, TEXT_USD
from agent.store.budgets import Account
from agent.store.redis import RedisStore
from telephony.server.extras import Extras
from telephony.server.purse import Till

CALL = "CA1"
OWN_USD = 0.25
OVER = {"CallSid": CALL, "From": "+14155550123", "To": "+14155550199", "Direction": "inbound"}


class Booked(Till):
    """What is booked besides, by what it is for."""

    def __init__(self) -> None:
        self.paid: dict[str, float] = {}

    async def pay_besides(
        self, call_sid: str, account: Account, usd: float, what: str = "summary"
    ) -> None:
        del call_sid, account
        self.paid[what] = usd


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    store = RedisStore.in_memory()
    await store.open_call(CALL, "Ada")
    assert await store.take(CALL, "nonce", "worker", 60) is not None
    await store.save_checkpoint(CALL, NOTHING_KNOWN, 1, cost=round(OWN_USD * NANO))
    await store.budgets.remember(CALL, Account("Ada", "2026-11-30", ""))
    yield store
    await store.aclose()


async def usd(store: RedisStore) -> float:
    record = await store.look_up(CALL)
    assert record is not None
    assert record.usd is not None
    return record.usd - OWN_USD


async def test_a_leg_costs_what_its_begun_minutes_cost_and_once(store: RedisStore) -> None:
    extras = Extras(store, store.besides, till := Booked())
    for seconds in ("", "0"):
        await extras.leg(CALL, "1", "+14155550101", seconds)
    assert await usd(store) == 0
    for _ in range(2):
        await extras.leg(CALL, "2", "+14155550101", "61")
    await extras.leg(CALL, "3", "sip:desk@example.com", "60")
    assert await usd(store) == pytest.approx(2 * OUTBOUND_USD + SIP_USD)
    assert till.paid == {"leg_2": 2 * OUTBOUND_USD, "leg_3": SIP_USD}


async def test_what_is_paid_is_counted_once_by_what_it_was_for(store: RedisStore) -> None:
    paid: list[tuple[str, float]] = []
    extras = Extras(store, store.besides, Booked(), lambda what, usd: paid.append((what, usd)))
    for _ in range(2):
        await extras.leg(CALL, "2", "+14155550101", "61")
        await extras.text(CALL, "a", 1)
    assert paid == [("leg", 2 * OUTBOUND_USD), ("text", TEXT_USD)]


async def test_text_messages_cost_by_the_segment(store: RedisStore) -> None:
    extras = Extras(store, store.besides, till := Booked())
    await extras.text(CALL, "a", 1)
    await extras.text(CALL, "b", 3)
    assert await usd(store) == pytest.approx(4 * TEXT_USD)
    assert till.paid == {"text_a": TEXT_USD, "text_b": 3 * TEXT_USD}


async def test_a_next_checkpoint_leaves_what_was_paid_besides(store: RedisStore) -> None:
    extras = Extras(store, store.besides, Booked())
    await extras.text(CALL, "a", 1)
    await store.save_checkpoint(CALL, NOTHING_KNOWN, 1, cost=round(OWN_USD * NANO))
    assert await usd(store) == pytest.approx(TEXT_USD)
    await store.save_checkpoint(CALL, NOTHING_KNOWN, 1, cost=None)
    record = await store.look_up(CALL)
    assert record is not None
    assert (record.usd, record.besides_usd) == (None, TEXT_USD)


async def test_the_line_of_who_was_put_through_costs_until_its_end(store: RedisStore) -> None:
    extras = Extras(store, store.besides, Booked())
    await extras.line(OVER | {"CallDuration": "200"})
    assert await usd(store) == 0, "a worker has the line"
    await store.mark_completed(CALL, "transferred")
    for _ in range(2):
        await extras.line(OVER | {"CallDuration": "200"})
    assert await usd(store) == pytest.approx(4 * INBOUND_USD)


@pytest.mark.parametrize(("kind", "minutes"), [("transfer", 4), ("digits", 0)])
async def test_the_line_of_who_hung_up_while_it_rang_costs_until_its_end(
    store: RedisStore, kind: Kind, minutes: int
) -> None:
    extras = Extras(store, store.besides, Booked())
    await store.claim_step(CALL, "r1", Asked(kind, "sales"))
    await store.mark_completed(CALL, "caller_hangup")
    await extras.line(OVER | {"CallDuration": "200"})
    assert await usd(store) == pytest.approx(minutes * INBOUND_USD)


async def test_what_nothing_is_known_of_costs_nothing(store: RedisStore) -> None:
    extras = Extras(store, store.besides, till := Booked())
    await extras.text("CA2", "a", 1)
    await extras.line({**OVER, "CallSid": "CA2", "CallDuration": "200"})
    client = cast("Any", store)._client
    assert await client.exists("offhook:{CA2}:call") == 0
    assert till.paid == {}
