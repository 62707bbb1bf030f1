"""Any worker lists all calls, by time, for as long as they are kept."""

from typing import TYPE_CHECKING

import pytest

from agent.store.base import Began
from agent.store.index import AT_ONCE, CALLS, LONGEST_CALL_S
from agent.store.redis import RedisStore
from agent.store.rehearsal import rehearse
from tests.contracts.conftest import TTL_S

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


BASE_MS = 4_000_000_000_000
"""Later than now, so that nothing is forgotten."""


async def opened(store: RedisStore, call_sid: str, at_ms: int, persona: str = "Ada") -> str:
    """A call that was opened at a time, in ms after `BASE_MS`."""
    await store.open_call(call_sid, persona)
    await store._client.zadd(CALLS, {call_sid: BASE_MS + at_ms})
    return call_sid


async def test_any_worker_lists_the_calls_of_all_the_newest_first(backend: "Backend") -> None:
    one, other = backend.worker(), backend.worker()
    old = await opened(one, backend.new_call(), 1_000)
    new = await opened(other, backend.new_call(), 2_000, "Morgan")
    for store in (one, other):
        listed = await store.index.newest()
        assert [each.conversation_id for each in listed] == [new, old]
        assert [each.opened_ms for each in listed] == [BASE_MS + 2_000, BASE_MS + 1_000]
        assert [each.record.persona for each in listed] == ["Morgan", "Ada"]
        assert {each.record.status for each in listed} == {"ringing"}


async def test_they_are_found_by_time_by_agent_and_among_those_of_somebody(
    backend: "Backend", store: RedisStore
) -> None:
    first, second, third = [
        await opened(store, backend.new_call(), at_ms, persona)
        for at_ms, persona in ((1_000, "Ada"), (2_000, "Morgan"), (3_000, "Ada"))
    ]

    async def found(**wanted: object) -> list[str]:
        listed = await store.index.newest(**wanted)  # type: ignore[arg-type]  # each test's own
        return [each.conversation_id for each in listed]

    assert await found(from_ms=BASE_MS + 2_000) == [third, second]
    assert await found(until_ms=BASE_MS + 2_000) == [first]
    assert await found(from_ms=BASE_MS + 1_001, until_ms=BASE_MS + 3_000) == [second]
    assert await found(persona="Ada") == [third, first]
    assert await found(among={first, second}) == [second, first]
    assert await found(most=1) == [third]
    assert await found(persona="nobody") == []


async def test_more_calls_than_are_read_at_once_are_all_listed(
    backend: "Backend", store: RedisStore
) -> None:
    calls = [await opened(store, backend.new_call(), n) for n in range(AT_ONCE + 5)]
    listed = await store.index.newest(most=1_000)
    assert [each.conversation_id for each in listed] == calls[::-1]


async def test_the_time_is_that_of_the_first_word_of_it(store: RedisStore, call_sid: str) -> None:
    assert await store.index.opened_ms(call_sid) is None
    await store.open_call(call_sid, "Ada")
    at_ms = await store.index.opened_ms(call_sid)
    assert at_ms is not None
    await store.open_call(call_sid, "Ada")
    await store.take(call_sid, "nonce", "worker", 60)
    assert await store.index.opened_ms(call_sid) == at_ms


@pytest.mark.parametrize("how", ["taken", "noted"])
async def test_a_call_that_was_opened_while_the_store_was_away_is_listed_too(
    store: RedisStore, call_sid: str, how: str
) -> None:
    if how == "taken":
        await store.take(call_sid, "nonce", "worker", 60, Began("Ada"))
    else:
        await store.note_beginning(call_sid, Began("Ada"))
    (listed,) = await store.index.newest()
    assert (listed.conversation_id, listed.record.persona) == (call_sid, "Ada")


async def test_a_call_whose_record_is_gone_is_not_listed(
    backend: "Backend", store: RedisStore
) -> None:
    gone, kept = [await opened(store, backend.new_call(), at_ms) for at_ms in (2_000, 1_000)]
    await store._client.delete(f"offhook:{{{gone}}}:call")
    assert [each.conversation_id for each in await store.index.newest()] == [kept]


async def test_the_index_forgets_a_call_a_day_after_its_record_could_be_kept(
    backend: "Backend", store: RedisStore
) -> None:
    kept_ms = 1_000 * (TTL_S + LONGEST_CALL_S)
    await store.open_call(fresh := backend.new_call(), "Ada")
    now_ms = await store.index.opened_ms(fresh)
    assert now_ms is not None
    old = await opened(store, backend.new_call(), now_ms - kept_ms - 60_000 - BASE_MS)
    young = await opened(store, backend.new_call(), now_ms - kept_ms + 60_000 - BASE_MS)
    await store.open_call(backend.new_call(), "Ada")
    assert await store.index.opened_ms(old) is None
    assert await store.index.opened_ms(young) is not None
    assert 0 < await store._client.ttl(CALLS) <= TTL_S + LONGEST_CALL_S


async def test_a_purge_takes_a_call_out_of_the_index(backend: "Backend", store: RedisStore) -> None:
    gone, kept = [await opened(store, backend.new_call(), at_ms) for at_ms in (2_000, 1_000)]
    found = await store.parties.find({gone})
    assert (CALLS, gone) in found.members
    await store.parties.remove(found)
    assert await store.index.opened_ms(gone) is None
    assert [each.conversation_id for each in await store.index.newest()] == [kept]


async def test_a_rehearsal_is_no_call(store: RedisStore, call_sid: str) -> None:
    await rehearse(store, call_sid)
    assert await store.index.newest() == []
