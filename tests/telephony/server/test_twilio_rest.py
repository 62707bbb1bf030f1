"""A running call is redirected over the simulated REST API, on good days and bad ones."""

from collections.abc import AsyncIterator
from random import Random

import pytest

from telephony.server.twilio_rest import ATTEMPTS, RestRefused, TwilioRest
from telephony.settings import NumberSettings, read
from telephony.simulator.elements import Request
from telephony.simulator.rest import Fault, RestAccount, RestAnswer, refusal
from telephony.simulator.rest_server import SimulatedRest

ACCOUNT_SID = "AC" + "0" * 31 + "7"
AUTH_TOKEN = "old-one,planted-secret"
CALL_SID = "CA" + "0" * 31 + "3"
GO_ON = "https://voice.example.com/twilio/resume"

TROUBLE = RestAnswer(502, "<html>Bad Gateway</html>")
TOO_MANY = refusal(429, 20429, "Too Many Requests", Retry_After="1")


class OneCall:
    """What the account knows of a call."""

    def __init__(self) -> None:
        self.over = False
        self.went_to: list[Request] = []

    def redirect(self, request: Request) -> None:
        self.went_to.append(request)

    def run_document(self, document: str) -> None:
        raise AssertionError(document)

    def end(self) -> None:
        self.over = True

    def cancel(self) -> None:
        raise AssertionError

    @property
    def status(self) -> str:
        return "completed" if self.over else "in-progress"


@pytest.fixture
def call() -> OneCall:
    return OneCall()


@pytest.fixture
async def rest(call: OneCall) -> AsyncIterator[SimulatedRest]:
    """An account with one call going on."""
    async with SimulatedRest(RestAccount(ACCOUNT_SID, "planted-secret")) as running:
        running.account.calls[CALL_SID] = call
        yield running


FAILED: list[str] = []
"""Why each request failed, of all tests."""


@pytest.fixture
def twilio(rest: SimulatedRest) -> TwilioRest:
    return at(rest.url)


def at(url: str, auth_token: str = AUTH_TOKEN) -> TwilioRest:
    """The account as a server reaches it, without pauses."""
    settings = read(
        NumberSettings,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=auth_token,
        twilio_api_url=url,
        public_url="https://voice.example.com",
    )
    return TwilioRest(settings, Random(1), failed=FAILED.append, first_pause_s=0)


async def test_a_call_is_redirected(twilio: TwilioRest, call: OneCall) -> None:
    assert await twilio.redirect(CALL_SID, GO_ON)
    assert call.went_to == [Request(GO_ON, "POST")]


async def test_a_call_that_is_over_or_unknown_is_not(twilio: TwilioRest, call: OneCall) -> None:
    call.over = True
    assert not await twilio.redirect(CALL_SID, GO_ON)
    assert not await twilio.redirect(CALL_SID.replace("3", "4"), GO_ON)
    assert call.went_to == []


@pytest.mark.parametrize(("fault", "status"), [(TROUBLE, 502), (TOO_MANY, 429)], ids=["502", "429"])
async def test_what_may_pass_is_asked_again(
    rest: SimulatedRest, twilio: TwilioRest, call: OneCall, fault: Fault, status: int
) -> None:
    rest.account.faults.extend([fault] * (ATTEMPTS - 1))
    assert await twilio.redirect(CALL_SID, GO_ON)
    assert len(call.went_to) == 1
    rest.account.faults.extend([fault] * ATTEMPTS)
    with pytest.raises(RestRefused, match=rf"{ATTEMPTS} times"):
        await twilio.redirect(CALL_SID, GO_ON)
    assert len(rest.account.requests) == 2 * ATTEMPTS
    failed = 2 * ATTEMPTS - 1
    assert FAILED[-failed:] == [f"HTTP {status}"] * failed


async def test_what_does_not_pass_is_not_asked_again(rest: SimulatedRest, call: OneCall) -> None:
    with pytest.raises(RestRefused, match="HTTP 401, error 20003"):
        await at(rest.url, "wrong").redirect(CALL_SID, GO_ON)
    assert len(rest.account.requests) == 1
    assert call.went_to == []


async def test_twilio_out_of_reach_is_said_without_a_secret(rest: SimulatedRest) -> None:
    nobody = "http://127.0.0.1:9"
    with pytest.raises(RestRefused) as caught:
        await at(nobody).redirect(CALL_SID, GO_ON)
    assert caught.value.why == f"ConnectionError, {ATTEMPTS} times"
