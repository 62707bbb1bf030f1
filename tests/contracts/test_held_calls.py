"""What every store promises about who holds a call, on a server in memory and on a real one."""

import asyncio
from typing import TYPE_CHECKING

from agent.store.held import Orphan
from agent.store.promises import Store
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

LONG_MS = 60_000


async def hold(store: Store, *held: str, lease_ms: int = LONG_MS) -> tuple[Orphan, ...]:
    """Hold calls, and claim what nobody holds."""
    return await store.held.hold(held, [], lease_ms=lease_ms, claim_ms=LONG_MS)


async def orphan(store: Store, call_sid: str) -> None:
    """Hold a call for no time at all."""
    await store.held.hold([call_sid], [], lease_ms=0, claim_ms=None)


async def test_a_call_is_an_orphan_once_its_lease_is_over(store: RedisStore, call_sid: str) -> None:
    assert await hold(store, call_sid) == ()
    await orphan(store, call_sid)
    [found] = await hold(store)
    assert found.conversation_id == call_sid
    assert await store.held.is_orphan(found)


async def test_one_worker_alone_gets_an_orphan(backend: "Backend", call_sid: str) -> None:
    here, there = backend.worker(), backend.worker()
    await orphan(here, call_sid)
    assert len(await hold(here)) == 1
    assert await hold(there) == ()


async def test_another_gets_it_when_the_first_has_not_seen_after_it_in_time(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    await orphan(here, call_sid)
    [first] = await here.held.hold([], [], lease_ms=LONG_MS, claim_ms=1)
    async with asyncio.timeout(10):
        while not (again := await hold(there)):  # until that millisecond is over
            pass
    assert [each.conversation_id for each in again] == [call_sid]
    assert not await here.held.is_orphan(first)


async def test_a_settled_orphan_is_nobodys_any_more(store: RedisStore, call_sid: str) -> None:
    await orphan(store, call_sid)
    [found] = await store.held.hold([], [], lease_ms=LONG_MS, claim_ms=1)
    await store.held.settle(found)
    assert not await store.held.is_orphan(found)
    assert await hold(store) == ()


async def test_who_has_taken_a_claimed_call_keeps_its_lease(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    await orphan(here, call_sid)
    [found] = await hold(here)
    await there.held.hold([call_sid], [], lease_ms=0, claim_ms=None)
    assert not await here.held.is_orphan(found)
    await here.held.settle(found)
    assert [each.conversation_id for each in await hold(there)] == [call_sid]


async def test_a_call_that_is_let_go_is_never_an_orphan(
    backend: "Backend", store: RedisStore, call_sid: str
) -> None:
    other = backend.new_call()
    await store.held.hold([call_sid, other], [], lease_ms=0, claim_ms=None)
    found = await store.held.hold([], [call_sid], lease_ms=LONG_MS, claim_ms=LONG_MS)
    assert [each.conversation_id for each in found] == [other]


async def test_a_worker_that_wants_no_orphans_gets_none(store: RedisStore, call_sid: str) -> None:
    await orphan(store, call_sid)
    assert await store.held.hold([], [], lease_ms=LONG_MS, claim_ms=None) == ()
