"""Twilio is asked once to place a call, and what it answers is said in words."""

import asyncio
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import pytest

from telephony.server import asked_once, placing
from telephony.server.asked_once import DoneOrNot
from telephony.server.placing import Placement, place
from telephony.server.twilio_rest import RestRefused
from telephony.settings import NumberSettings, read
from telephony.simulator.rest import Fault, Hang, RestAccount, RestAnswer, refusal
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.rest_server import SimulatedRest

ACCOUNT_SID = "AC" + "0" * 31 + "7"
OURS, THEIRS = "+14155550199", "+14155550123"
VOICE = "https://voice.example.com/twilio/voice?agent=QWRh#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
STATUS = "https://voice.example.com/twilio/status#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
PLACEMENT = Placement(THEIRS, OURS, VOICE, STATUS, 25)


@pytest.fixture
async def rest() -> AsyncIterator[SimulatedRest]:
    """An account with one number, whose telephones ring for nobody."""
    account = RestAccount(ACCOUNT_SID, "planted-secret")
    account.add(OURS)
    async with SimulatedRest(account) as running:
        yield running


@pytest.fixture
def placed(rest: SimulatedRest) -> list[PlacedCall]:
    """The calls that were placed."""
    calls: list[PlacedCall] = []
    rest.account.on_placed = calls.append
    return calls


def at(url: str, auth: str = "planted-secret") -> NumberSettings:
    return read(
        NumberSettings,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=auth,
        twilio_api_url=url,
        public_url="https://voice.example.com",
    )


async def test_a_call_is_placed_with_all_that_it_needs(
    rest: SimulatedRest, placed: list[PlacedCall]
) -> None:
    call_sid = await place(at(rest.url), PLACEMENT)
    [call] = placed
    assert call.sid == call_sid
    assert (call.to, call.calling, call.ring_s) == (THEIRS, OURS, 25)
    assert call.voice.url == VOICE
    assert call.fallback == call.voice
    assert call.status is not None
    assert call.status.url == STATUS
    assert set(call.events) == {"initiated", "ringing", "answered", "completed"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (refusal(401, 20003, "Authenticate"), "copy both from the front page"),
        (refusal(400, 21210, "x"), "neither a number of this account"),
        (refusal(400, 21211, f"{THEIRS} is not valid"), "does not take the number"),
        (refusal(400, 21215, "x"), "Geo permissions"),
        (refusal(400, 21219, "x"), "verify it in the Twilio Console"),
        (refusal(400, 21220, "x"), "not in progress"),
        (refusal(400, 10004, "x"), "as many calls at once"),
        (refusal(400, 99999, "x"), "https://www.twilio.com/docs/errors/99999"),
        (refusal(429, 20429, "Too Many Requests"), "too many requests; try again"),
    ],
)
async def test_a_refusal_is_said_in_words_and_nothing_is_placed(
    rest: SimulatedRest, placed: list[PlacedCall], fault: Fault, told: str
) -> None:
    rest.account.faults.append(fault)
    with pytest.raises(RestRefused, match=told) as caught:
        await place(at(rest.url), PLACEMENT)
    assert len(rest.account.requests) == 1
    assert placed == []
    for hidden in ("planted-secret", THEIRS):
        assert hidden not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        RestAnswer(500, "{}"),
        RestAnswer(503, "<html>Bad Gateway</html>"),
        RestAnswer(201, "not JSON"),
        RestAnswer(201, "[]"),
        RestAnswer(201, "{}"),
        Hang(),
    ],
)
async def test_nobody_knows_after_an_answer_that_says_nothing_and_it_is_not_asked_again(
    rest: SimulatedRest, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(asked_once, "TIMEOUT_S", 0.3)
    rest.account.faults.append(fault)
    with pytest.raises(DoneOrNot) as caught:
        await place(at(rest.url), PLACEMENT)
    assert len(rest.account.requests) == 1
    assert "planted-secret" not in str(caught.value)


async def test_a_twilio_that_cannot_be_reached_has_placed_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(RestRefused, match="cannot be reached"):
        await place(at(url), PLACEMENT)


async def test_a_wrong_token_is_named_by_the_settings_that_hold_it(rest: SimulatedRest) -> None:
    with pytest.raises(RestRefused, match="TWILIO_AUTH_TOKEN do not go together"):
        await place(at(rest.url, "another"), PLACEMENT)


async def test_a_twilio_that_does_not_answer_takes_no_thread_of_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = Event()

    def hang(*_: object) -> SimpleNamespace:
        answers.wait(1)
        return SimpleNamespace(sid="CA1")

    monkeypatch.setattr(placing, "_create", hang)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with asyncio.TaskGroup() as tasks:
        hangs = tasks.create_task(place(at("http://127.0.0.1:1"), PLACEMENT))
        await asyncio.sleep(0)
        await asyncio.to_thread(int)
        assert not hangs.done()
        answers.set()
    assert hangs.result() == "CA1"
