"""A call whose line somebody else has is not lost: nobody redirects it."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from agent.conversation.next_step import NextStep
from agent.store.base import HoursAre
from agent.store.redis import RedisStore
from telephony.server.calls import Calls
from telephony.server.reaper import Reaper
from telephony.twilio.urls import RETRIES
from tests.contracts.stored import take
from tests.contracts.test_next_step import wanting

CALL = "CA" + "1" * 32
URL = "https://voice.example.com"


@dataclass
class Rest:
    redirected: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    async def redirect(self, call_sid: str, url: str) -> bool:
        self.redirected.append(call_sid)
        self.urls.append(url)
        return True


@pytest.mark.parametrize(("claims", "redirected"), [(True, []), (False, [CALL])])
async def test_a_call_that_was_put_through_is_not_redirected(
    *, claims: bool, redirected: list[str]
) -> None:
    store, rest = RedisStore.in_memory(), Rest()
    await take(store, CALL, "a")
    step = NextStep(1, "transfer", "sales", "agent")
    await store.save_checkpoint(CALL, wanting(step), 1)
    if claims:
        await store.claim_step(CALL, "r1")
    await store.held.hold([CALL], [], lease_ms=0, claim_ms=None)
    [orphan] = await store.held.hold([], [], lease_ms=0, claim_ms=1_000)
    await Reaper(cast("Calls", None), store, rest, URL).save(orphan)
    assert rest.redirected == redirected
    await store.aclose()


@pytest.mark.parametrize(
    ("hours", "url"),
    [
        ("open", f"{URL}/twilio/resume#{RETRIES}"),
        ("closed", f"{URL}/twilio/resume?hours=closed#{RETRIES}"),
    ],
)
async def test_a_lost_call_comes_back_by_a_url_that_tells_how_it_began(
    hours: HoursAre, url: str
) -> None:
    store, rest = RedisStore.in_memory(), Rest()
    await store.open_call(CALL, "Ada", hours=hours)
    await take(store, CALL, "a")
    await store.held.hold([CALL], [], lease_ms=0, claim_ms=None)
    [orphan] = await store.held.hold([], [], lease_ms=0, claim_ms=1_000)
    await Reaper(cast("Calls", None), store, rest, URL).save(orphan)
    assert rest.urls == [url]
    await store.aclose()
