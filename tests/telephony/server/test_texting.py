"""Twilio is asked once to send a text message, and what it answers becomes words for the agent."""

import socket
from collections.abc import AsyncIterator

import pytest

from agent.conversation.sms import SmsField, Template
from agent.persona.sms_schema import Route
from agent.store.redis import RedisStore
from telephony.server import asked_once
from telephony.server.asked_once import DoneOrNot
from telephony.server.own_tools import NO_NUMBER, SmsTool, refused
from telephony.server.texting import (
    LATER,
    NO_TEXTS,
    NOT_NOW,
    NOT_THERE,
    OPTED_OUT,
    NotSent,
    Text,
    send,
)
from telephony.settings import NumberSettings, Settings, load, read
from telephony.simulator.rest import Fault, Hang, RestAccount, RestAnswer, refusal
from telephony.simulator.rest_server import SimulatedRest

ACCOUNT_SID = "AC" + "0" * 31 + "7"
OURS, THEIRS = "+14155550199", "+14155550123"
TEXT = Text(THEIRS, OURS, "Your table is booked.")
TEMPLATE = Template("table", "Your table is booked for {when}.", fields=(SmsField("when"),))
ASKED = {"template": "table", "fields": {"when": "Friday"}}
CALL = "CA" + "0" * 32


@pytest.fixture
async def rest() -> AsyncIterator[SimulatedRest]:
    """An account with one number."""
    account = RestAccount(ACCOUNT_SID, "planted-secret")
    account.add(OURS)
    async with SimulatedRest(account) as running:
        yield running


def at(url: str, auth: str = "planted-secret") -> NumberSettings:
    return read(
        NumberSettings,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=auth,
        twilio_api_url=url,
        public_url="https://voice.example.com",
    )


async def failure(url: str, text: Text = TEXT, auth: str = "planted-secret") -> Exception:
    with pytest.raises((NotSent, DoneOrNot)) as raised:
        await send(at(url, auth), text)
    assert THEIRS not in str(raised.value)
    assert "planted-secret" not in str(raised.value)
    return raised.value


async def test_a_message_is_sent_once(rest: SimulatedRest) -> None:
    await send(at(rest.url), TEXT)
    [sent] = rest.account.messages
    assert (sent.to, sent.calling, sent.body) == (THEIRS, OURS, TEXT.body)
    assert len(rest.account.requests) == 1
    assert THEIRS not in repr(TEXT)


@pytest.mark.parametrize(
    ("fault", "words", "retryable"),
    [
        (refusal(400, 21211, f"{THEIRS} is not a number"), NO_TEXTS, False),
        (refusal(400, 21614, "x"), NO_TEXTS, False),
        (refusal(400, 21408, "x"), NOT_THERE, False),
        (refusal(400, 21610, "x"), OPTED_OUT, False),
        (refusal(400, 21608, "x"), NOT_NOW, False),
        (refusal(401, 20003, "x"), NOT_NOW, False),
        (refusal(400, 99999, "x"), NOT_NOW, False),
        (refusal(429, 20429, "x"), LATER, True),
    ],
)
async def test_a_refusal_of_twilio_is_told_in_words(
    rest: SimulatedRest, fault: Fault, words: str, *, retryable: bool
) -> None:
    rest.account.faults.append(fault)
    error = await failure(rest.url)
    assert isinstance(error, NotSent)
    assert (error.words, error.retryable) == (words, retryable)
    assert len(rest.account.requests) == 1


async def test_the_simulated_account_refuses_as_twilio_does(rest: SimulatedRest) -> None:
    rest.account.opted_out.add(THEIRS)
    told = [
        await failure(rest.url),
        await failure(rest.url, Text("+1415", OURS, "x")),
        await failure(rest.url, Text(THEIRS, "+14155550198", "x")),
        await failure(rest.url, Text("+14155550124", OURS, "x" * 1_601)),
        await failure(rest.url, auth="another"),
    ]
    codes = [str(each).partition("error ")[2].partition(":")[0] for each in told]
    assert codes == ["21610", "21211", "21606", "21617", "20003"]
    assert rest.account.messages == []


@pytest.mark.parametrize(
    "fault",
    [Hang(), RestAnswer(503, ""), refusal(500, 20500, "x"), RestAnswer(201, "{}")],
    ids=["no answer", "503", "500", "no SID"],
)
async def test_where_the_answer_is_lost_nobody_knows_and_nothing_is_repeated(
    rest: SimulatedRest, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_once, "TIMEOUT_S", 0.3)
    rest.account.faults.append(fault)
    assert isinstance(await failure(rest.url), DoneOrNot)
    assert len(rest.account.requests) == 1


async def test_where_twilio_cannot_be_reached_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    error = await failure(url)
    assert isinstance(error, NotSent)
    assert error.retryable


@pytest.mark.parametrize(
    ("to", "regions", "why"),
    [
        (THEIRS, (), ""),
        ("", (), NO_NUMBER),
        (OURS, (), NO_TEXTS),
        ("sip:ada@example.com", (), NO_TEXTS),
        ("client:ada", (), NO_TEXTS),
        ("+1415555", (), NO_TEXTS),
        ("+19005550100", (), NO_TEXTS),  # premium rate
        ("+493012345678", ("DE",), NO_TEXTS),  # a fixed line
        ("+4915112345678", ("DE", "US"), ""),
        ("+4915112345678", (), NOT_THERE),
        (THEIRS, ("DE",), NOT_THERE),
    ],
)
def test_who_is_texted(to: str, regions: tuple[str, ...], why: str) -> None:
    assert refused(to, Route(OURS, regions=frozenset(regions))) == why


def settings(url: str, **more: str) -> Settings:
    return load(
        gemini_api_key="simulated",
        twilio_auth_token="planted-secret",
        twilio_account_sid=ACCOUNT_SID,
        twilio_api_url=url,
        public_url="https://voice.example.com",
        **more,
    )


async def test_the_tool_sends_the_owners_words_to_the_caller_of_the_record(
    rest: SimulatedRest,
) -> None:
    store = RedisStore.in_memory(ttl_s=60)
    await store.open_call(CALL, "Mira", THEIRS)
    tool = SmsTool(settings(rest.url), store, CALL, (TEMPLATE,), {"table": Route(OURS)})
    assert (await tool.run(ASKED)).status == "ok"
    assert [each.body for each in rest.account.messages] == ["Your table is booked for Friday."]
    wrong = await tool.run(ASKED | {"fields": {"when": "www.example.com"}})
    assert (wrong.status, wrong.retryable) == ("error", True)
    rest.account.opted_out.add(THEIRS)
    assert (await tool.run(ASKED)).hint == OPTED_OUT
    assert len(rest.account.messages) == 1
    await store.aclose()


async def test_a_message_may_go_to_whom_its_owner_names(rest: SimulatedRest) -> None:
    store = RedisStore.in_memory(ttl_s=60)
    owner = Route(OURS, "+14155550177")
    tool = SmsTool(settings(rest.url), store, CALL, (TEMPLATE,), {"table": owner})
    assert (await tool.run(ASKED)).status == "ok"
    assert [each.to for each in rest.account.messages] == ["+14155550177"]
    gone = SmsTool(settings(rest.url), store, CALL, (TEMPLATE,), {})
    nobody = SmsTool(settings(rest.url), store, CALL, (TEMPLATE,), {"table": Route(OURS)})
    assert [(await each.run(ASKED)).hint for each in (gone, nobody)] == [NOT_NOW, NO_NUMBER]
    await store.aclose()
