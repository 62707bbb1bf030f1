"""A caller who has waited for somebody comes back by a URL that tells how the call began."""

from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from agent.conversation.next_step import PLACES, RINGS, NextStep, ends
from agent.store.base import HoursAre
from agent.store.redis import RedisStore
from telephony.server.personas import Personas
from telephony.server.warm import MOST_ROUNDS, WarmTransfers
from telephony.twilio import twiml
from telephony.twilio.conference import OfStep, hold, music, step_of
from telephony.twilio.urls import RETRIES
from tests.contracts.stored import take
from tests.contracts.test_next_step import wanting
from tests.telephony.server.test_away import CALL, URL, Rest

HOURS: list[tuple[HoursAre, str]] = [("open", ""), ("closed", "?hours=closed")]


class Waits(Rest):
    async def hang_up(self, call_sid: str) -> bool:
        return bool(call_sid)

    async def goes_on(self, call_sid: str) -> bool:
        return bool(call_sid)


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    made = RedisStore.in_memory()
    yield made
    await made.aclose()


def warm(store: RedisStore, rest: Waits) -> WarmTransfers:
    async def place(_: object) -> str:
        return "CA9"

    personas = cast("Personas", None)
    return WarmTransfers(URL, store, store.legs, personas, rest=rest, place=place)


@pytest.mark.parametrize(("hours", "query"), HOURS)
async def test_a_caller_whose_target_did_not_come_is_brought_back_so(
    store: RedisStore, hours: HoursAre, query: str
) -> None:
    rest = Waits()
    await store.open_call(CALL, "Ada", hours=hours)
    await take(store, CALL, "a")
    await store.save_checkpoint(CALL, wanting(NextStep(1, "transfer", "sales", "agent")), 1)
    await store.claim_step(CALL, "r1")
    await store.legs.hold(CALL, 1, "Ada calls.", "+14155550199")
    for move in (PLACES, RINGS):
        await store.legs.move(CALL, 1, move, "CA9")
    step, _ = await store.legs.move(CALL, 1, ends("busy"), "CA9")
    assert step is not None
    await warm(store, rest).wind_up(CALL, step, leg_over=True)
    assert rest.urls == [f"{URL}/twilio/resume{query}#{RETRIES}"]


@pytest.mark.parametrize(("hours", "query"), HOURS)
async def test_a_caller_whom_nobody_looks_after_is_brought_back_so(
    store: RedisStore, hours: HoursAre, query: str
) -> None:
    rest = Waits()
    await warm(store, rest).waits(OfStep(CALL, 1, closed=hours == "closed"), MOST_ROUNDS)
    assert rest.urls == [f"{URL}/twilio/resume{query}#{RETRIES}"]


def test_each_url_of_a_caller_who_waits_or_was_put_through_tells_how_the_call_began() -> None:
    closed, of = OfStep(CALL, 1, closed=True), OfStep(CALL, 1)
    url = closed.url(URL, "/twilio/hold")
    assert step_of(url.partition("?")[2].partition("#")[0]) == closed
    documents: tuple[Callable[[OfStep], str], ...] = (
        lambda step: hold(URL, step),
        lambda step: music(URL, step, 1),
        lambda step: twiml.transfer(URL, "", "+14155550100", closed=step.closed),
        lambda step: twiml.play(URL, "1", closed=step.closed),
    )
    for document in documents:
        assert "hours=closed" in document(closed)
        assert "hours" not in document(of)
