"""A worker is gone and Twilio does not go on by itself: another worker moves the call by REST."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.report import AgentHeard, CallEvent
from telephony.simulator.rest import RestAccount, refusal
from telephony.simulator.rest_server import SimulatedRest
from telephony.twilio.urls import RESUME_PATH, callback_url
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import CONVERSATION, GREETING, TWO_TURNS
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, place, worker_process
from tests.end_to_end.watching import Watch

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

WAITS = CallFaults(after_loss=AfterLoss.WAITS)


@pytest.fixture
async def rest() -> AsyncIterator[SimulatedRest]:
    """Twilio's REST API, without the calls yet."""
    async with SimulatedRest(RestAccount(ACCOUNT_SID, AUTH_TOKEN)) as running:
        yield running


async def test_a_call_that_waits_after_its_worker_was_killed_is_redirected_once_and_goes_on(
    gemini: SimulatedGemini, rest: SimulatedRest, redis: Redis, redis_server: "RedisServer"
) -> None:
    events: Watch[CallEvent] = Watch()
    account = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_API_URL": rest.url}
    async with (
        worker_process(gemini, redis_server.url, **account) as first,
        worker_process(gemini, redis_server.url, **account) as second,
        worker_process(gemini, redis_server.url, **account) as third,
        asyncio.TaskGroup() as tasks,
    ):
        urls = (first.url, second.url, third.url)
        rest.account.faults.append(refusal(429, 20429, "Too Many Requests"))
        running = tasks.create_task(
            place(
                TWO_TURNS,
                *urls,
                route=lambda _path: 0,
                on_event=events,
                faults=WAITS,
                rest=rest.account,
            )
        )
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        first.process.kill()
        report = await running
        assert report.problems == ()
    call = await stored(redis, report.call_sid)

    assert (report.streams, report.ended_by) == (2, "caller")
    assert [(each.method, each.form["Url"]) for each in rest.account.requests] == [
        ("POST", callback_url(PUBLIC_URL, RESUME_PATH)),
    ] * 2  # of which the first was refused
    assert call.said.count(("agent", GREETING)) == 1
    assert call.said[-1] == CONVERSATION[-1]
    assert {line["epoch"] for line in call.lines} == {"1", "2"}
