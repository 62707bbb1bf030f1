"""Twilio's half of a browser's calls: what is asked of the server, and what the page is told."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from telephony.browser_phone.exchange import KEPT_CALLS, Exchange, Instruction, Outcome
from telephony.twilio.signature import valid_webhook

PUBLIC_URL = "https://dev.invalid"
TOKEN, ACCOUNT_SID = "token-of-this-process", "AC" + "0" * 32
STREAM = (
    '<Connect action="/twilio/resume"><Stream url="wss://dev.invalid/twilio/media" '
    'statusCallback="https://dev.invalid/twilio/stream-status">'
    '<Parameter name="token" value="one-time"/></Stream></Connect>'
)

type Form = dict[str, str]


class Server:
    """Answers webhooks with documents, each path with its own in turn, and keeps what it was asked.
    Everything else gets 204.
    """

    def __init__(self, **documents: list[str]) -> None:
        self.asked: list[tuple[str, Form]] = []
        self._documents = documents

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = urlsplit(str(request.url)).path
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        signed = request.headers["x-twilio-signature"]
        assert valid_webhook(f"{PUBLIC_URL}{path}", form, signed, (TOKEN,))
        self.asked.append((path, form))
        left = self._documents.get(path.rpartition("/")[2])
        if left is None:
            return httpx.Response(204)
        document = f"<Response>{left.pop(0)}</Response>"
        return httpx.Response(200, text=document, headers={"content-type": "text/xml"})

    def told(self, path: str, field: str) -> list[str]:
        """The values of a field in what was sent to a path."""
        return [form.get(field, "") for asked, form in self.asked if asked == f"/twilio/{path}"]


@pytest.fixture
def exchange_of() -> Callable[[Server], Exchange]:
    def make(server: Server) -> Exchange:
        client = httpx.AsyncClient(transport=httpx.MockTransport(server))
        return Exchange(client, "http://127.0.0.1:8010", PUBLIC_URL, ACCOUNT_SID, TOKEN)

    return make


type Make = Callable[[Server], Exchange]


async def test_a_call_gets_a_stream_with_its_one_time_token(exchange_of: Make) -> None:
    server = Server(voice=[STREAM])
    call, told = await exchange_of(server).place()
    assert told.do == "stream"
    assert told.stream["callSid"] == call.call_sid
    assert told.stream["accountSid"] == ACCOUNT_SID
    assert told.stream["parameters"] == {"token": "one-time"}
    assert server.told("voice", "CallStatus") == ["ringing"]
    assert server.told("stream-status", "StreamEvent") == ["stream-started"]
    assert server.told("stream-status", "StreamSid") == [told.stream["streamSid"]]


@pytest.mark.parametrize(("broken", "event"), [(True, "stream-error"), (False, "stream-stopped")])
async def test_after_a_stream_the_server_is_asked_and_a_new_stream_may_come(
    exchange_of: Make, broken: bool, event: str
) -> None:
    server = Server(voice=[STREAM], resume=[STREAM])
    call, first = await exchange_of(server).place()
    second = await call.go_on(Outcome(broken=broken))
    assert second.do == "stream"
    assert second.stream["streamSid"] != first.stream["streamSid"]
    assert second.stream["callSid"] == first.stream["callSid"]
    assert server.told("resume", "CallStatus") == ["in-progress"]
    assert server.told("stream-status", "StreamEvent") == [
        "stream-started", event, "stream-started",
    ]  # fmt: skip


async def test_a_hangup_ends_the_call_and_the_server_is_told_once(exchange_of: Make) -> None:
    server = Server(voice=[STREAM], resume=["<Hangup/>"])
    call, _ = await exchange_of(server).place()
    assert await call.go_on(Outcome()) == Instruction("end")
    await call.hang_up()
    assert call.over
    assert server.told("status", "CallStatus") == ["completed"]


async def test_keys_are_gathered_and_sent(exchange_of: Make) -> None:
    gather = (
        '<Gather action="/twilio/menu" numDigits="1" timeout="3"><Say>One or two</Say></Gather>'
    )
    server = Server(voice=[gather], menu=[STREAM])
    call, told = await exchange_of(server).place()
    assert (told.do, told.words, told.keys, told.finish) == ("gather", "One or two", 1, "#")
    assert told.ms > 3000
    assert (await call.go_on(Outcome(digits="2"))).do == "stream"
    assert server.told("menu", "Digits") == ["2"]


async def test_without_keys_the_next_verb_runs(exchange_of: Make) -> None:
    server = Server(voice=['<Gather action="/twilio/menu"/><Say>Goodbye</Say>'])
    call, _ = await exchange_of(server).place()
    told = await call.go_on(Outcome())
    assert (told.do, told.words) == ("say", "Goodbye")
    assert await call.go_on(Outcome()) == Instruction("end")


async def test_the_person_decides_how_a_transfer_goes(exchange_of: Make) -> None:
    dial = '<Dial action="/twilio/transferred"><Number>+14155550100</Number></Dial>'
    server = Server(voice=[dial], transferred=[STREAM])
    call, told = await exchange_of(server).place()
    assert (told.do, told.to) == ("dial", ("+14155550100",))
    assert (await call.go_on(Outcome(answer="no-answer"))).do == "stream"
    assert server.told("transferred", "DialCallStatus") == ["no-answer"]


async def test_a_document_that_twilio_refuses_is_told_as_such(exchange_of: Make) -> None:
    server = Server(voice=["<Dance/>", "<Dance/>"])
    call, told = await exchange_of(server).place()
    assert told.do == "say"
    assert "application error" in told.words
    ended = await call.go_on(Outcome())
    assert ended.do == "end"
    assert "12200" in ended.words


async def test_the_oldest_call_is_hung_up_where_there_are_too_many(exchange_of: Make) -> None:
    server = Server(voice=[STREAM] * (KEPT_CALLS + 1))
    exchange = exchange_of(server)
    calls = [(await exchange.place())[0] for _ in range(KEPT_CALLS + 1)]
    assert [call.over for call in calls] == [True] + [False] * KEPT_CALLS
    assert exchange.call(calls[0].call_sid) is None
    assert exchange.call(calls[-1].call_sid) is calls[-1]
