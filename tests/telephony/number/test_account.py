"""Twilio's own library against the simulated API, over a real socket."""

import asyncio
import re
import socket
from collections.abc import Callable

import pytest

from telephony.errors import UsageError
from telephony.number.account import Account, AccountError
from telephony.number.webhooks import FIELDS
from telephony.settings import NumberSettings
from telephony.simulator.rest import Fault, Hang, RestAnswer, refusal
from telephony.simulator.rest_server import SimulatedRest

NOT_TWILIO = "answer as Twilio's REST API does, got something else .*; check TWILIO_API_URL"
HTML = RestAnswer(502, "<html>Bad Gateway</html>")


async def refused(account: Account) -> str:
    """What is said when the numbers are asked for; the secret is not."""
    with pytest.raises(AccountError) as caught:
        await asyncio.to_thread(account.numbers)
    message = str(caught.value)
    assert "planted" not in message
    assert "\n" not in message
    return message


async def test_every_page_of_the_numbers_is_read(rest: SimulatedRest, account: Account) -> None:
    added = [f"+1415555{n:04}" for n in range(123)]
    for phone_number in added:
        rest.account.add(phone_number)
    numbers = await asyncio.to_thread(account.numbers)
    assert [number.phone_number for number in numbers] == added
    assert [request.query.get("Page") for request in rest.account.requests] == [None, "1", "2"]


async def test_a_number_is_found_by_all_its_digits(rest: SimulatedRest, account: Account) -> None:
    rest.account.add("+141555501991")
    sid = rest.account.add("+14155550199", voice_url="https://old.example.com")
    found = await asyncio.to_thread(account.number, "+14155550199")
    assert found.sid == sid
    assert found.webhooks["voice_url"] == "https://old.example.com"
    assert found.webhooks.keys() == FIELDS.keys()
    with pytest.raises(UsageError, match=r"got \+4930123456; `offhook number list`"):
        await asyncio.to_thread(account.number, "+4930123456")


async def test_an_update_sets_what_it_names_and_nothing_else(
    rest: SimulatedRest, account: Account
) -> None:
    sid = rest.account.add("+14155550199", voice_url="https://old.example.com")
    before = dict(rest.account.numbers[sid])
    number = await asyncio.to_thread(account.number, "+14155550199")
    wanted = {"voice_url": "", "status_callback": "https://new.example.com/a?b=c"}
    updated = await asyncio.to_thread(account.update, number, wanted)
    assert rest.account.numbers[sid] == before | wanted
    assert updated.webhooks == {**number.webhooks, **wanted}


async def test_the_account_says_how_it_stands_and_what_time_it_is(account: Account) -> None:
    assert account.date is None
    assert await asyncio.to_thread(account.status) == "active"
    assert account.date is not None


async def test_an_answer_whose_date_is_none_tells_no_time(
    rest: SimulatedRest, account: Account
) -> None:
    rest.account.faults.append(RestAnswer(200, '{"status": "active"}', {"Date": "soon"}))
    assert await asyncio.to_thread(account.status) == "active"
    assert account.date is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (refusal(400, 21502, "VoiceUrl is not valid"), "400, error 21502.*VoiceUrl is not valid"),
        (refusal(401, 20003, "Authenticate"), "401, error 20003: TWILIO_ACCOUNT_SID and TWILIO_A"),
        (refusal(403, 20005, "Account is not active"), "403, error 20005: .*not active; see http"),
        (
            refusal(404, 20404, "Not found"),
            f"404, error 20404: account AC{'0' * 31}7 does not have it",
        ),
        (refusal(429, 20429, "Too Many", Retry_After="7"), "429, error 20429.*try again in 7 s"),
        (refusal(429, 20429, "Too Many"), "429, error 20429.*try again in a moment"),
        (refusal(429, 20429, "Too Many", Retry_After="Soon"), "try again in a moment"),
        (refusal(500, 20500, "Internal"), "500, error 20500: Twilio has a problem; try again"),
        (HTML, "502, error -: Twilio has a problem; try again"),
        (refusal(503, 20503, "Unavailable"), "503, error 20503: Twilio has a problem; try again"),
        (RestAnswer(200, "<html>Hello</html>"), "answer as Twilio's .* check TWILIO_API_URL"),
        (RestAnswer(200, "[]"), "answer as Twilio's .* check TWILIO_API_URL"),
        (RestAnswer(200, '{"numbers": 3}'), "answer as Twilio's .* check TWILIO_API_URL"),
        (
            RestAnswer(301, "", {"Location": "https://other.example"}),
            "answer as Twilio's .* check TWILIO_API_URL",
        ),
    ],
    ids=lambda one: str(one.status) if isinstance(one, RestAnswer) else "",
)
async def test_whatever_twilio_answers_is_one_line_with_the_way_out(
    rest: SimulatedRest, account: Account, fault: Fault, said: str
) -> None:
    rest.account.faults.append(fault)
    message = await refused(account)
    assert re.search(said, message), message
    assert len(rest.account.requests) == 1
    assert await asyncio.to_thread(account.numbers) == []


async def test_a_wrong_token_is_refused_by_the_api_itself(
    reach: Callable[..., NumberSettings],
) -> None:
    settings = reach(twilio_auth_token="planted-other")
    assert "401, error 20003: TWILIO_ACCOUNT_SID and TWILIO" in await refused(Account(settings))


async def test_the_newest_of_several_tokens_is_used(reach: Callable[..., NumberSettings]) -> None:
    settings = reach(twilio_auth_token="planted-old,planted-secret")
    assert await asyncio.to_thread(Account(settings).numbers) == []


async def test_no_answer_is_waited_for_without_end(
    rest: SimulatedRest, reach: Callable[..., NumberSettings]
) -> None:
    rest.account.faults.append(Hang())
    message = await refused(Account(reach(), timeout_s=0.2))
    assert "did not answer in time; try again" in message


async def test_nobody_at_the_address_is_said(reach: Callable[..., NumberSettings]) -> None:
    with socket.socket() as bound:  # but not listening
        bound.bind(("127.0.0.1", 0))
        settings = reach(twilio_api_url=f"http://127.0.0.1:{bound.getsockname()[1]}")
        message = await refused(Account(settings))
    assert "cannot be reached (ConnectionError); check the network, TWILIO_API" in message


def test_a_region_is_reached_by_its_edge(reach: Callable[..., NumberSettings]) -> None:
    account = Account(reach(twilio_region="ie1", twilio_edge="dublin"))
    url = account._client.get_hostname("https://api.twilio.com/2010-04-01/Accounts.json")
    assert url == "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts.json"
