"""HTTP calls as tools: the host is the owner's, and no argument leaves its place."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator

import pytest

from agent.conversation.declaration import MAX_RESULT_CHARS, Status
from agent.tools import threads
from agent.tools.addresses import is_public
from agent.tools.outcome import PERHAPS_DONE, Outcome, outcome_of
from agent.tools.web import NotCallable, WebTool, web_tool
from tests.agent.tools.shop import Shop


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with Shop() as running:
        yield running


def tool_for(shop: Shop, path: str, method: str = "GET", **more: object) -> WebTool:
    given = {"headers": {"X-Key": "k"}, "body": {}, "allow_private": True} | more
    return web_tool(f"{shop.url}{path}", method=method, **given)  # type: ignore[arg-type]  # of the right types


async def test_an_argument_stands_in_the_path_and_the_others_in_the_query(shop: Shop) -> None:
    outcome = await tool_for(shop, "/orders/{order}?full=1").run({"order": "7", "by": "Ann & Co"})
    assert (outcome.status, outcome.data) == (Status.OK, '{"status": "shipped"}')
    assert shop.asked == [("GET", "/orders/7?full=1&by=Ann+%26+Co", b"")]
    assert (shop.headers["x-key"], shop.headers["host"]) == ("k", shop.url.removeprefix("http://"))


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("../admin", "/orders/..%2Fadmin"),
        ("..", "/orders/%2E%2E"),
        ("7?as=admin", "/orders/7%3Fas%3Dadmin"),
        ("7#", "/orders/7%23"),
        ("@evil.example.com/", "/orders/%40evil.example.com%2F"),
        ("7\r\nX-Key: other", "/orders/7%0D%0AX-Key%3A%20other"),
        ("{order}", "/orders/%7Border%7D"),
        ("é", "/orders/%C3%A9"),
    ],
)
async def test_no_argument_leaves_its_place(shop: Shop, given: str, target: str) -> None:
    await tool_for(shop, "/orders/{order}").run({"order": given})
    assert [path for _, path, _ in shop.asked] == [target]
    assert shop.headers["x-key"] == "k"


async def test_arguments_of_a_post_are_its_body(shop: Shop) -> None:
    tool = tool_for(shop, "/orders", "POST", body={"source": "phone"})
    await tool.run({"order": "7", "source": "model"})
    assert shop.asked == [("POST", "/orders", b'{"order":"7","source":"phone"}')]


async def test_a_redirect_is_not_followed(shop: Shop) -> None:
    outcome = await tool_for(shop, "/redirect").run({})
    assert (outcome.status, outcome.problem) == (Status.ERROR, "a redirect (302)")
    assert len(shop.asked) == 1


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
async def test_only_a_look_up_is_tried_twice(shop: Shop, method: str, times: int) -> None:
    outcome = await tool_for(shop, "/busy", method).run({})
    assert (outcome.status, outcome.retryable) == (Status.ERROR, True)
    assert len(shop.asked) == times


@pytest.mark.parametrize("path", ["/stalls", "/breaks", "/breaks-off", "/gateway"])
async def test_nobody_knows_whether_an_act_was_done_whose_answer_is_lost(
    shop: Shop, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.tools.web.LIMIT_S", 0.2)
    outcome = await tool_for(shop, path, "POST").run({})
    assert (outcome.status, outcome.retryable, outcome.hint) == (
        Status.UNKNOWN,
        False,
        PERHAPS_DONE,
    )
    assert len(shop.asked) == 1
    looked_up = await tool_for(shop, path).run({})
    assert looked_up.status in {Status.ERROR, Status.TIMEOUT}
    assert looked_up.retryable


@pytest.mark.parametrize("path", ["/stalls", "/trickles"])
async def test_both_tries_together_keep_the_limit(
    shop: Shop, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.tools.web.LIMIT_S", 0.2)
    async with asyncio.timeout(5):
        outcome = await tool_for(shop, path).run({})
    assert (outcome.status, outcome.retryable) == (Status.TIMEOUT, True)
    assert len(shop.asked) == 1, "no time is left for another try"


async def test_nobody_knows_of_an_act_whose_answer_no_thread_is_left_to_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.tools.threads._running", threading.BoundedSemaphore(1))
    assert threads._running.acquire(blocking=False)
    assert (await tool_for(shop, "/orders", "POST").run({})).status == Status.UNKNOWN


@pytest.mark.parametrize("order", ["\ud800", "7" * 70_000])
@pytest.mark.parametrize("path", ["/orders/{order}", "/orders"])
async def test_an_argument_that_cannot_be_sent_is_an_error_and_ends_no_call(
    shop: Shop, order: str, path: str
) -> None:
    outcome = await tool_for(shop, path).run({"order": order})
    assert (outcome.status, outcome.retryable) == (Status.ERROR, False)
    assert shop.asked == []


async def test_an_act_that_was_never_sent_may_be_tried_again() -> None:
    async with Shop() as gone:
        tool = tool_for(gone, "/orders", "POST")
    outcome = await tool.run({})
    assert (outcome.status, outcome.retryable) == (Status.ERROR, True)


async def test_a_flood_is_not_read_to_its_end(shop: Shop) -> None:
    outcome = await tool_for(shop, "/flood").run({})
    assert (outcome.status, len(outcome.data)) == (Status.OK, MAX_RESULT_CHARS + 2)


async def test_a_host_in_a_private_network_is_not_asked(shop: Shop) -> None:
    outcome = await tool_for(shop, "/orders/7", allow_private=False).run({})
    assert outcome.status == Status.ERROR
    assert "private network" in outcome.problem
    assert shop.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *(
            "0.0.0.1",
            "100.64.0.1",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::",
        ),
        *("64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_an_address_that_is_not_of_the_internet_is_known(address: str) -> None:
    assert not is_public(address)


def test_addresses_of_the_internet_are_known() -> None:
    assert all(map(is_public, ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8")))


@pytest.mark.parametrize(
    "url", ["", "orders", "ftp://a.example", "http://{host}/", "http://u:p@a.example", "http://[::"]
)
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(NotCallable, match="expected"):
        web_tool(url, method="GET", headers={}, body={}, allow_private=False)


@pytest.mark.parametrize(("path", "begins"), [("/odd", '"OK"'), ("/deep", '"[[[[')])
async def test_an_answer_that_nobody_can_read_is_a_text(shop: Shop, path: str, begins: str) -> None:
    outcome = await tool_for(shop, path).run({})
    assert outcome.status == Status.OK
    assert outcome.data.startswith(begins)


async def test_no_certificates_are_read_while_calls_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tool_for(shop, "/orders")
    monkeypatch.setattr(ssl, "create_default_context", None)
    assert (await tool.run({})).status == Status.OK


async def test_a_large_answer_is_not_read_on_the_event_loop(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in: list[str] = []

    def read(value: object) -> Outcome:
        read_in.append(threading.current_thread().name)
        return outcome_of(value)

    monkeypatch.setattr("agent.tools.web.outcome_of", read)
    await tool_for(shop, "/flood").run({})
    assert read_in == ["tool"]
