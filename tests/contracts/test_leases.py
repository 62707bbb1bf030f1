"""What every store promises about leases, on a server in memory and on a real one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from agent.store import leases as leases_module
from agent.store.base import StoreAway
from agent.store.leases import RedisLeases
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


@pytest.fixture(autouse=True)
def _reconnect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases_module, "RECONNECT_MS", 1)


class Told:
    """The epochs a watch was told of."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self._more = asyncio.Event()

    def __call__(self, epoch: int) -> None:
        self.epochs.append(epoch)
        self._more.set()

    async def next(self) -> int:
        async with asyncio.timeout(10):
            await self._more.wait()
        self._more.clear()
        return self.epochs[-1]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  the server tells nobody of its listeners
            await asyncio.sleep(0.001)


async def test_who_watches_a_call_is_told_when_another_worker_takes_it(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    told = Told()
    async with here.leases() as leases:
        assert await leases.watch(call_sid, told)
        taken = await there.take(call_sid, "a", "worker-2", 60)
        assert taken is not None
        assert taken.listeners == 1
        assert await told.next() == taken.epoch == 1


async def test_a_refused_token_tells_nobody(backend: "Backend", call_sid: str) -> None:
    here, there = backend.worker(), backend.worker()
    told = Told()
    async with here.leases() as leases:
        await leases.watch(call_sid, told)
        await there.take(call_sid, "a", "worker-2", 60)
        await there.take(call_sid, "a", "worker-3", 60)
        await there.take(call_sid, "b", "worker-4", 60)
        while await told.next() != 2:
            pass
    assert told.epochs == [1, 2]


async def test_each_call_tells_its_own_watch(backend: "Backend", store: RedisStore) -> None:
    calls = [backend.new_call() for _ in range(20)]
    told = {call_sid: Told() for call_sid in calls}
    async with store.leases() as leases:
        await asyncio.gather(*(leases.watch(call_sid, told[call_sid]) for call_sid in calls))
        for times, call_sid in enumerate(calls):
            for nonce in range(times + 1):
                await store.take(call_sid, str(nonce), "worker-1", 60)
        await told[calls[-1]].next()
        while told[calls[-1]].epochs[-1] != len(calls):
            await told[calls[-1]].next()
    for times, call_sid in enumerate(calls):
        assert told[call_sid].epochs == list(range(1, times + 2))


async def test_a_call_nobody_watches_has_no_listeners(
    backend: "Backend", store: RedisStore, call_sid: str
) -> None:
    assert await store.listeners(call_sid) == 0
    async with backend.worker().leases() as one, backend.worker().leases() as other:
        await one.watch(call_sid, Told())
        assert await store.listeners(call_sid) == 1
        await other.watch(call_sid, Told())
        assert await store.listeners(call_sid) == 2
        await one.unwatch(call_sid)
        await one.unwatch(call_sid)

        async def only_one_is_left() -> bool:
            return await store.listeners(call_sid) == 1

        await until(only_one_is_left)

    async def none_is_left() -> bool:
        return await store.listeners(call_sid) == 0

    await until(none_is_left)


async def test_a_second_watch_replaces_the_first(store: RedisStore, call_sid: str) -> None:
    first, second = Told(), Told()
    async with store.leases() as leases:
        assert await leases.watch(call_sid, first)
        assert await leases.watch(call_sid, second)
        taken = await store.take(call_sid, "a", "worker-1", 60)
        assert taken is not None
        assert taken.listeners == 1
        await second.next()
    assert (first.epochs, second.epochs) == ([], [1])


async def test_an_unwatched_call_tells_nothing_more(backend: "Backend", store: RedisStore) -> None:
    silent, loud = backend.new_call(), backend.new_call()
    never, told = Told(), Told()
    async with store.leases() as leases:
        await leases.watch(silent, never)
        await leases.watch(loud, told)
        await leases.unwatch(silent)
        await store.take(silent, "a", "worker-1", 60)
        await store.take(loud, "a", "worker-1", 60)
        await told.next()
    assert never.epochs == []


async def test_a_new_owner_learns_when_the_old_one_has_let_go(
    backend: "Backend", call_sid: str
) -> None:
    old, new = backend.worker(), backend.worker()
    told = Told()
    async with old.leases() as theirs, new.leases() as ours:
        await theirs.watch(call_sid, told)
        await ours.watch(call_sid, Told())
        await new.take(call_sid, "a", "worker-2", 60)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(ours.wait_released(call_sid, 1, timeout_ms=10_000))
            await old.announce_released(call_sid, await told.next())
        assert waiting.result()


async def test_an_answer_that_came_before_it_was_waited_for_counts(
    backend: "Backend", store: RedisStore
) -> None:
    call_sid, later = backend.new_call(), backend.new_call()
    told = Told()
    async with store.leases() as leases:
        await leases.watch(call_sid, Told())
        await leases.watch(later, told)
        await store.take(call_sid, "a", "worker-1", 60)
        await store.announce_released(call_sid, 1)
        await store.take(later, "a", "worker-1", 60)
        await told.next()  # what was published before has come by now
        assert await leases.wait_released(call_sid, 1, timeout_ms=0)


async def test_an_answer_to_an_earlier_take_does_not_count(
    store: RedisStore, call_sid: str
) -> None:
    async with store.leases() as leases:
        await leases.watch(call_sid, Told())
        await store.announce_released(call_sid, 1)
        assert await leases.wait_released(call_sid, 1, timeout_ms=10_000)
        assert not await leases.wait_released(call_sid, 2, timeout_ms=1)


async def test_waiting_for_a_call_that_is_not_watched_is_in_vain(
    store: RedisStore, call_sid: str
) -> None:
    async with store.leases() as leases:
        assert not await leases.wait_released(call_sid, 1, timeout_ms=10_000)


async def test_the_highest_epoch_a_watched_call_was_taken_under_is_known(
    store: RedisStore, call_sid: str
) -> None:
    told = Told()
    async with store.leases() as leases:
        assert leases.taken_epoch(call_sid) == 0
        await leases.watch(call_sid, told)
        for nonce in "ab":
            await store.take(call_sid, nonce, "worker-1", 60)
            await told.next()
        assert leases.taken_epoch(call_sid) == 2
        await leases.unwatch(call_sid)
        assert leases.taken_epoch(call_sid) == 0


async def test_a_watch_after_a_long_silence_does_not_disturb_the_reader(
    store: RedisStore, call_sid: str
) -> None:
    """redis-py would check the connection's health first, and read the answer itself."""
    told = Told()
    async with store.leases() as leases:
        assert isinstance(leases, RedisLeases)
        assert leases._connection is not None
        leases._connection.next_health_check = -1
        leases._connection.health_check_interval = 1
        assert await leases.watch(call_sid, told)
        await store.take(call_sid, "a", "worker-1", 60)
        assert await told.next() == 1


async def test_a_lost_lease_connection_is_replaced_with_all_its_watches(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    told = Told()

    async def heard_again() -> bool:
        return await there.listeners(call_sid) == 1

    async with here.leases() as leases:
        await leases.watch(call_sid, told)
        assert leases._connection is not None
        await leases._connection.disconnect()
        await until(heard_again)
        await there.take(call_sid, "a", "worker-2", 60)
        assert await told.next() == 1


async def test_watches_outlive_a_restart_of_the_server(backend: "Backend", call_sid: str) -> None:
    here, there = backend.worker(), backend.worker()
    told = Told()

    async def back() -> bool:
        return await there.listeners(call_sid) == 1

    async with here.leases() as leases:

        async def away() -> bool:
            return not await leases.watch(call_sid, told)

        assert await leases.watch(call_sid, told)
        assert leases._connection is not None
        backend.stop()
        await leases._connection.disconnect()  # the one in memory does not hang up
        await until(away)
        with pytest.raises(StoreAway):
            await there.take(call_sid, "a", "worker-2", 60)
        backend.start()
        await until(back)
        await there.take(call_sid, "b", "worker-2", 60)
        assert await told.next() == 1


async def test_a_watch_begun_while_the_server_is_away_holds_when_it_is_back(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    told = Told()

    async def back() -> bool:
        return await there.listeners(call_sid) == 1

    backend.stop()
    async with here.leases() as leases:
        assert not await leases.watch(call_sid, told)
        backend.start()
        await until(back)
        await there.take(call_sid, "a", "worker-2", 60)
        assert await told.next() == 1
