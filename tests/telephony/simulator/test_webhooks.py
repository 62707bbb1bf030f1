"""Requests are sent again as the URL's fragment says, and no more often."""

import asyncio
from collections.abc import Callable, Sequence

import httpx
import pytest
from twilio.request_validator import (  # type: ignore[import-untyped] # twilio ships no types
    RequestValidator,
)

from telephony.simulator.clock import Clock
from telephony.simulator.elements import Request
from telephony.simulator.webhooks import WebhookError, Webhooks
from telephony.simulator.workers import Workers

URL = "https://voice.example.com/twilio/voice"
TOKEN = "an auth token"
PARAMS = {"CallSid": "CA1", "FromCity": ""}
WORKERS = ("http://one", "http://two")

type Outcome = int | type[Exception]


class Server:
    """Does what it is told to, one thing for each request; then answers."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self._outcomes.pop(0) if self._outcomes else 200
        if isinstance(outcome, int):
            return httpx.Response(outcome)
        raise outcome("on purpose")

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.requests]


async def send(
    handler: Callable[[httpx.Request], httpx.Response],
    fragment: str = "",
    workers: Sequence[str] = ("http://one",),
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        webhooks = Webhooks(client, Workers(workers, lambda _: 0), TOKEN, Clock(), lambda _: None)
        return await webhooks.send(Request(URL + fragment), PARAMS)


@pytest.mark.parametrize("refused", [httpx.ConnectError, httpx.ConnectTimeout])
async def test_a_failed_connection_is_tried_once_more_and_no_oftener(
    refused: type[Exception],
) -> None:
    assert (await send(Server(refused))).status_code == 200
    server = Server(refused, refused)
    with pytest.raises(WebhookError) as raised:
        await send(server)
    assert (raised.value.code, len(server.requests)) == (11205, 2)


@pytest.mark.parametrize(
    ("outcome", "code"), [(503, 11200), (404, 11200), (httpx.ReadTimeout, 11205)]
)
async def test_nothing_else_is_tried_again_unless_the_url_says_so(
    outcome: Outcome, code: int
) -> None:
    server = Server(outcome)
    with pytest.raises(WebhookError) as raised:
        await send(server)
    assert (raised.value.code, len(server.requests)) == (code, 1)
    assert (await send(Server(outcome), "#rp=all")).status_code == 200


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        ("rt", httpx.ReadTimeout),
        ("rt", httpx.ReadError),
        ("5xx", 502),
        ("4xx", 429),
        ("ct,5xx", 500),
    ],
)
async def test_the_policy_names_what_is_tried_again_and_the_count_how_often(
    policy: str, outcome: Outcome
) -> None:
    server = Server(*[outcome] * 3)
    assert (await send(server, f"#rc=3&rp={policy}")).status_code == 200
    server = Server(*[outcome] * 3)
    with pytest.raises(WebhookError):
        await send(server, f"#rc=2&rp={policy}")
    assert len(server.requests) == 3
    with pytest.raises(WebhookError):
        await send(Server(outcome), "#rc=5&rp=ct")


async def test_a_retry_is_the_same_request_and_the_fragment_is_neither_signed_nor_sent() -> None:
    server = Server(500)
    await send(server, "#rc=3&rp=ct,rt,5xx")
    first, again = server.requests
    assert first.headers == again.headers
    assert first.content == again.content == b"CallSid=CA1&FromCity="
    assert str(first.url) == "http://one/twilio/voice"
    right = RequestValidator(TOKEN).compute_signature(URL, PARAMS)
    assert first.headers["x-twilio-signature"] == right


async def test_a_worker_that_refuses_is_passed_over_for_nothing_and_a_retry_asks_the_next() -> None:
    server = Server(httpx.ConnectError)
    assert (await send(server, "#rc=0", WORKERS)).status_code == 200
    assert server.hosts == ["one", "two"]
    server = Server(500)
    await send(server, "#rc=1&rp=5xx", WORKERS)
    assert server.hosts == ["one", "two"]


async def test_all_attempts_together_have_one_limit() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as client:
        webhooks = Webhooks(client, Workers(WORKERS), TOKEN, Clock(), lambda _: None)
        with pytest.raises(WebhookError, match="no answer within 100 ms") as raised:
            await webhooks.send(Request(f"{URL}#rc=5&rp=all&tt=100"), PARAMS)
    assert raised.value.code == 11205


async def test_a_fragment_that_twilio_does_not_take_fails_the_request() -> None:
    server = Server()
    with pytest.raises(WebhookError) as raised:
        await send(server, "#rp=often")
    assert (raised.value.code, server.requests) == (11243, [])
