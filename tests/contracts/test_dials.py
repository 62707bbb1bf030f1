"""What every store promises about calls that are placed."""

import asyncio
from typing import TYPE_CHECKING

from agent.store.dials import INTERVAL_MS, KEPT_S, LONGEST_WAIT_MS, Reserved
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

DAY = "2026-11-30"
MOST_WAITING = LONGEST_WAIT_MS // INTERVAL_MS + 1


async def test_of_100_that_race_as_many_are_placed_as_may_be(backend: "Backend") -> None:
    stores = [backend.worker() for _ in range(4)]
    at_once = [asyncio.Semaphore(8) for _ in stores]  # connections: more take time to be made

    async def dial(n: int) -> Reserved:
        async with at_once[n % 4]:
            return await stores[n % 4].dials.reserve("one", DAY, f"dial-{n}", 3)

    answers = await asyncio.gather(*(dial(n) for n in range(100)))
    assert [each.refused for each in answers].count("") == 3
    assert [each.refused for each in answers].count("too often") == 97


async def test_a_number_and_a_day_count_by_themselves(store: RedisStore) -> None:
    reserve = store.dials.reserve
    assert (await reserve("one", DAY, "a", 1)).refused == ""
    assert await reserve("one", DAY, "b", 1) == Reserved("too often", 0)
    assert (await reserve("two", DAY, "c", 1)).refused == ""
    assert (await reserve("one", "2026-12-01", "d", 1)).refused == ""
    assert (await reserve("one", DAY, "e", 2)).refused == "", "another agent may call twice"


async def test_what_was_not_placed_does_not_count(store: RedisStore) -> None:
    dials = store.dials
    await dials.reserve("one", DAY, "a", 1)
    for _ in range(2):
        await dials.give_back("one", DAY, "a")
    assert (await dials.reserve("one", DAY, "b", 1)).refused == ""
    await dials.give_back("one", DAY, "a")
    assert (await dials.reserve("one", DAY, "c", 1)).refused == "too often"


async def test_one_call_a_second_is_placed_over_all_workers_and_a_full_queue_takes_no_more(
    backend: "Backend",
) -> None:
    stores = [backend.worker() for _ in range(2)]
    answers = [
        await stores[n % 2].dials.reserve(f"number-{n}", DAY, f"dial-{n}", 1)
        for n in range(MOST_WAITING + 2)
    ]
    waits = [each.wait_ms for each in answers if not each.refused]
    assert waits[0] == 0
    for n, wait_ms in enumerate(waits):
        assert (n - 1) * INTERVAL_MS < wait_ms <= n * INTERVAL_MS, "less what has passed meanwhile"
    assert len(waits) == MOST_WAITING
    assert [each.refused for each in answers[MOST_WAITING:]] == ["full", "full"]
    again = await stores[0].dials.reserve(f"number-{MOST_WAITING}", DAY, "another", 1)
    assert again.refused == "full", "what found the queue full is not counted"
    assert await stores[0]._client.scard(f"offhook:{{dials}}:{DAY}:number-{MOST_WAITING}") == 0


async def test_nothing_is_kept_for_ever(store: RedisStore) -> None:
    await store.dials.reserve("one", DAY, "a", 1)
    lives_s = await store._client.ttl(f"offhook:{{dials}}:{DAY}:one")
    assert KEPT_S - 60 < lives_s <= KEPT_S
    assert 0 < await store._client.pttl("offhook:{dials}:next") <= INTERVAL_MS


async def test_a_placed_call_has_its_record_before_or_after_twilio_tells_of_it(
    backend: "Backend", store: RedisStore
) -> None:
    early, late = backend.new_call(), backend.new_call()
    await store.dials.placed(early, "Grace", "web form", "+14155550123")
    await store.mark_completed(late, "busy")
    await store.dials.placed(late, "Grace", "web form", "")
    first, second = await store.open_call(early, "Ada"), await store.open_call(late)
    for record in (first, second):
        assert (record.persona, record.direction) == ("Grace", "outbound")
        assert record.consent == "web form"
    assert (first.status, first.caller) == ("ringing", "+14155550123")
    assert (second.status, second.ended_reason, second.caller) == ("completed", "busy", "")
    assert (await store.open_call(backend.new_call())).direction == "inbound"
    assert await store._client.ttl(f"offhook:{{{late}}}:call") > 0
