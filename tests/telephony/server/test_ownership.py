"""Whose call it is, also while the store can not say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.store.base import Began, StoreAway, Taken
from agent.store.redis import RedisStore
from telephony.server.ownership import Owned, Ownership

CALL_SID = "CA1"

type Told = list[tuple[str, int]]


@asynccontextmanager
async def a_worker() -> AsyncIterator[tuple[RedisStore, Ownership, Told]]:
    """One with a store of its own, and what it is told of other takings."""
    store, told = RedisStore.in_memory(), Told.__value__()
    async with store.leases() as leases:
        await store.open_call(CALL_SID)
        yield (
            store,
            Ownership(store, leases, "w", lambda sid, epoch: told.append((sid, epoch)), print),
            told,
        )
    await store.aclose()


def away(monkeypatch: pytest.MonkeyPatch, store: RedisStore) -> None:
    """The store takes no call from now on."""

    async def take(*_: object) -> Taken:
        raise StoreAway("timeout")

    monkeypatch.setattr(store, "take", take)


async def taken(worker: Ownership, nonce: str, held: Owned) -> Taken | None:
    """A stream with this token comes to a worker that holds the call."""
    async with worker.watching(CALL_SID):
        with worker.taking(CALL_SID):
            got = await worker.redeem(CALL_SID, nonce, held, over=False)
            if got is not None:
                assert not worker.lacks(CALL_SID, held, got)
                held.took(got.epoch)
            return got


async def test_a_held_call_goes_on_here_though_the_store_is_away_when_its_stream_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_worker() as (store, worker, told):
        held = Owned()
        await taken(worker, "a", held)
        away(monkeypatch, store)
        again = await taken(worker, "b", held)
        assert again is not None
        assert held.epoch == again.epoch == 2
    assert all(epoch < held.epoch for _, epoch in told)


async def test_what_the_store_did_after_its_time_was_up_is_this_workers_own_taking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_worker() as (store, worker, told):
        held = Owned()
        await taken(worker, "a", held)
        with monkeypatch.context() as meanwhile:
            away(meanwhile, store)
            await taken(worker, "b", held)
        late = await store.take(CALL_SID, "b", "w", 60)
        assert late is not None
        assert late.epoch == held.epoch
        again = await taken(worker, "c", held)
    assert again is not None
    assert again.epoch == 3
    assert all(epoch <= held.epoch for _, epoch in told)


async def test_a_token_is_redeemed_once_while_the_store_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_worker() as (store, worker, _):
        away(monkeypatch, store)
        assert await worker.redeem(CALL_SID, "a", None, over=False) is not None
        assert await worker.redeem(CALL_SID, "a", None, over=False) is None
        assert await worker.redeem(CALL_SID, "b", None, over=True) is None


async def test_a_call_that_another_worker_wrote_is_not_known_here() -> None:
    async with a_worker() as (store, worker, _):
        held = Owned()
        await taken(worker, "a", held)
        await store.take(CALL_SID, "b", "another", 60)
        async with worker.watching(CALL_SID):
            with worker.taking(CALL_SID):
                got = await worker.redeem(CALL_SID, "c", held, over=False)
                assert got is not None
                assert worker.lacks(CALL_SID, held, got)


async def test_a_call_began_as_its_first_stream_told_though_a_later_one_tells_another() -> None:
    """While the store is away, an answer for a resumed call does not know that it began closed."""
    async with a_worker() as (store, worker, _):
        held, closed, open_ = Owned(), Began("Ada", "closed"), Began("Ada", "open")
        held.heard(closed, stored=False)
        held.heard(open_, stored=False)
        assert held.began == closed
        await worker.redeem(CALL_SID, "b", held, open_, over=False)
        record = await store.look_up(CALL_SID)
        assert record is not None
        assert record.hours == "closed"
        held.heard(open_, stored=True)
        assert held.began is None
