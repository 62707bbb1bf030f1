"""What every store promises about requests that must be carried out once."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.store import requests
from agent.store.redis import RedisStore
from agent.store.requests import Begun

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


async def test_of_100_that_race_one_is_carried_out(backend: "Backend") -> None:
    stores = [backend.worker() for _ in range(4)]
    at_once = [asyncio.Semaphore(8) for _ in stores]

    async def begin(n: int) -> Begun:
        async with at_once[n % 4]:
            return await stores[n % 4].requests.begin("key", "body", f"attempt-{n}")

    begun = await asyncio.gather(*(begin(n) for n in range(100)))
    assert sorted(each.state for each in begun) == ["begun"] + ["running"] * 99


async def test_what_was_done_is_answered_alike_and_is_nothing_else(store: RedisStore) -> None:
    asked = store.requests
    assert await asked.begin("key", "body", "one") == Begun("begun")
    assert await asked.begin("key", "other body", "two") == Begun("other")
    await asked.end("key", "two", "not mine")
    assert await asked.begin("key", "body", "two") == Begun("running")
    await asked.end("key", "one", "the answer", "CA1")
    assert await asked.begin("key", "body", "two") == Begun("done", "the answer")
    assert await asked.begin("key", "other body", "two") == Begun("other")
    assert await asked.begin("another key", "body", "two") == Begun("begun")
    ttls = [await store._client.ttl(f"offhook:request:{key}") for key in ("key", "another key")]
    assert all(0 < ttl <= requests.KEPT_S for ttl in ttls)


async def test_what_did_nothing_may_be_tried_again(store: RedisStore) -> None:
    await store.requests.begin("key", "body", "one")
    await store.requests.end("key", "one", "")
    assert await store.requests.begin("key", "another body", "two") == Begun("begun")


async def test_of_an_attempt_that_asked_and_never_ended_nobody_knows_and_it_is_not_repeated(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ASKS_MS", -1)
    await store.requests.begin("key", "body", "one")
    assert await store.requests.ask("key", "one")
    assert await store.requests.begin("key", "body", "two") == Begun("unknown")
    assert await store.requests.begin("key", "other body", "two") == Begun("other")


async def test_an_attempt_that_has_not_asked_in_time_is_taken_over_and_cannot_ask_any_more(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = store.requests
    monkeypatch.setattr(requests, "WAITS_MS", -1)
    assert await asked.begin("key", "body", "one") == Begun("begun")
    monkeypatch.undo()
    assert await asked.begin("key", "body", "two") == Begun("begun")
    assert not await asked.ask("key", "one")
    await asked.end("key", "one", "")
    assert await asked.begin("key", "body", "three") == Begun("running")
    assert await asked.ask("key", "two")
    await asked.end("key", "two", "the answer", "CA1")
    assert await asked.begin("key", "body", "three") == Begun("done", "the answer")


async def test_an_attempt_that_is_late_asks_if_nobody_has_taken_it_over(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "WAITS_MS", -1)
    await store.requests.begin("key", "body", "one")
    assert await store.requests.ask("key", "one")
    assert await store.requests.begin("key", "body", "two") == Begun("running")
