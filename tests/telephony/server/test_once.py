"""A request with a key is carried out once, also if the store answers too late."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.store import requests
from agent.store.base import StoreAway
from agent.store.redis import RedisStore
from telephony.dialling.request import Wish
from telephony.server.dialler import NotPlaced, Placed
from telephony.server.once import once
from telephony.server.worker import Worker

WISH, PLACED = Wish("+14155550123", "Ada", "web form"), Placed("CA1", "Ada")


class Office:
    """Asks with one key, and counts how often Twilio is asked."""

    def __init__(self, store: RedisStore) -> None:
        admission = SimpleNamespace(request=lambda text: text)
        self.worker = cast("Worker", SimpleNamespace(admission=admission, requests=store.requests))
        self.placed = 0

    async def asks(self, before: Callable[[], Awaitable[object]] | None = None) -> str:
        """Ask; returns the error, or "". `before` happens right before Twilio is to be asked."""

        async def dial(asks: Callable[[], Awaitable[None]]) -> Placed:
            if before is not None:
                await before()
            await asks()
            self.placed += 1
            return PLACED

        try:
            assert await once(self.worker, "key", WISH, dial) == PLACED
        except NotPlaced as not_placed:
            return not_placed.error
        return ""


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    store = RedisStore.in_memory()
    yield Office(store)
    await store.aclose()


def late(monkeypatch: pytest.MonkeyPatch, office: Office, *names: str) -> None:
    """The store does what it is asked, but its answer comes too late."""
    for name in names:
        does = getattr(office.worker.requests, name)

        async def answers_late(*args: Any, does: Any = does) -> None:
            await does(*args)
            raise StoreAway("timeout")

        monkeypatch.setattr(office.worker.requests, name, answers_late)


def away(monkeypatch: pytest.MonkeyPatch, office: Office, name: str) -> None:
    async def lost(*_: object) -> None:
        raise StoreAway("timeout")

    monkeypatch.setattr(office.worker.requests, name, lost)


async def test_a_request_that_began_though_the_answer_came_late_may_be_asked_again_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        late(patch, office, "begin")
        assert await office.asks() == "store_away"
    assert await office.asks() == ""
    assert office.placed == 1


async def test_if_that_is_not_forgotten_either_it_is_taken_over_in_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(requests, "WAITS_MS", -1)
        late(patch, office, "begin")
        away(patch, office, "end")
        assert await office.asks() == "store_away"
    assert await office.asks() == ""
    assert office.placed == 1


async def test_without_a_note_in_the_store_twilio_is_not_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        late(patch, office, "ask")
        assert await office.asks() == "store_away"
    assert office.placed == 0
    assert await office.asks() == ""
    assert office.placed == 1


async def test_who_was_too_slow_and_is_taken_over_does_not_ask_twilio(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def another() -> None:
        monkeypatch.undo()
        assert await office.asks() == ""

    monkeypatch.setattr(requests, "WAITS_MS", -1)
    assert await office.asks(another) == "under_way"
    assert office.placed == 1
    assert await office.asks() == ""
    assert office.placed == 1
