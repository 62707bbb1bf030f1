"""Text messages, by Twilio's own client and a simulated REST API: each is sent once or never."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.money.prices import TEXT_USD
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_faults import read_rest_faults
from telephony.simulator.rest_server import SimulatedRest
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import SAY_MORGAN, caller
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, place, serving, worker_process

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

OURS, THEIRS = "+14155550199", "+14155550123"
PERSONA = f"""
name = "Mira"
instructions = "You are Mira."
greeting = "Hello there."
[sms.table]
text = "Your table is booked for {{when}}."
from = "{OURS}"
[sms.table.fields.when]
"""
MODEL = parse(
    """
    [[turns]]
    expect = "morgan"
    call = { tool = "send_sms", arguments = { template = "table", fields = { when = "Friday" } } }
    say = "a1"
    failed = "a2"
    """
)


@pytest.fixture
async def rest() -> AsyncIterator[SimulatedRest]:
    """An account with one number."""
    account = RestAccount(ACCOUNT_SID, AUTH_TOKEN)
    account.add(OURS)
    async with SimulatedRest(account) as running:
        yield running


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    file = tmp_path / "mira.toml"
    file.write_text(PERSONA)
    return file


@pytest.mark.parametrize(
    ("calling", "sent", "heard"),
    [
        (THEIRS, [(THEIRS, OURS, "Your table is booked for Friday.")], "a1"),
        ("anonymous", [], "a2"),
    ],
)
async def test_a_message_goes_to_the_number_that_calls_and_to_no_other(
    rest: SimulatedRest,
    persona: Path,
    calling: str,
    sent: list[tuple[str, str, str]],
    heard: str,
) -> None:
    async with (
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        serving(
            gemini, personas=persona, account_sid=ACCOUNT_SID, twilio_api_url=rest.url
        ) as worker,
    ):
        leaves = f'until_said = "{heard}"\nhang_up = true'
        report = await place(caller(SAY_MORGAN, leaves), worker.url, caller=calling)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert report.problems == ()
    assert [(each.to, each.calling, each.body) for each in rest.account.messages] == sent
    assert record.lines[-1].text == clip(f"agent/{heard}").text
    assert record.besides_usd == len(sent) * TEXT_USD


def the_first(_path: str) -> int:
    """Every connection is tried at the first worker first."""
    return 0


@pytest.mark.parametrize(
    ("fault", "taken"), [("message=hang", 0), ("message=lost", 1)], ids=["not taken", "taken"]
)
async def test_a_message_whose_worker_is_killed_was_asked_for_once_and_is_told_as_unknown(
    rest: SimulatedRest,
    persona: Path,
    redis: Redis,
    redis_server: "RedisServer",
    fault: str,
    taken: int,
) -> None:
    # The worker dies while nobody knows whether it is sent
    rest.account.faults_of += read_rest_faults([fault])
    # The model calls again after the worker is lost, although it is told of the call.
    model = GeminiServer(MODEL, replace(BRISK, calls_again=True))
    script = caller(SAY_MORGAN, 'until_said = "a2"\nhang_up = true')
    settings = {
        "PERSONAS": str(persona),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_API_URL": rest.url,
    }
    async with (
        SimulatedGemini(model) as gemini,
        worker_process(gemini, redis_server.url, **settings) as first,
        worker_process(gemini, redis_server.url, **settings) as second,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(place(script, first.url, second.url, route=the_first))
        while not rest.account.requests:  # noqa: ASYNC110 - the account tells nobody of them
            await asyncio.sleep(0.02)
        first.process.kill()
        report = await running
        second.process.terminate()  # so that all of it is stored
        assert await second.wait() == 0
    call = await stored(redis, report.call_sid)
    assert (report.problems, report.streams) == ((), 2)
    asked = [each for each in rest.account.requests if each.path.endswith("/Messages.json")]
    assert (len(asked), len(rest.account.messages)) == (1, taken)
    assert call.said[-1] == ("agent", clip("agent/a2").text)
    assert call.record["epoch"] == "2"
