"""MCP servers as tools: a real one of the official library, as a program and over HTTP."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.conversation.declaration import Status, Tool
from agent.tools.mcp_server import McpServer, McpTool
from agent.tools.mcp_servers import McpCall, McpServers
from agent.tools.outcome import Outcome

pytestmark = pytest.mark.real

PROGRAM = str(Path(__file__).with_name("mcp_shop.py"))
SHOP = McpServer("shop", (sys.executable, PROGRAM), (("SHOP_KEY", "secret"),))


@pytest.fixture
async def servers() -> AsyncIterator[McpServers]:
    servers = McpServers()
    yield servers
    await servers.aclose()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, PROGRAM, "http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as shop:  # noqa: S603 - our own program
        assert shop.stdout is not None
        yield shop.stdout.readline().decode().strip()
        shop.kill()


async def called(
    servers: McpServers, server: McpServer, name: str, *, looks_up: bool = True, **arguments: object
) -> Outcome:
    tool = McpTool(server, name, Tool(name, "", idempotent=looks_up))
    return await McpCall(servers, tool).run(arguments)


async def test_a_program_is_started_asked_and_called(servers: McpServers) -> None:
    servers.use([SHOP])
    assert servers.standing(SHOP).tools is None
    assert not servers.were_asked([SHOP])
    await servers.asked()
    standing = servers.standing(SHOP)
    assert (standing.down, servers.were_asked([SHOP])) == ("", True)
    assert standing.tools is not None
    listed = standing.tools["order_status"]
    assert listed.description == "Looks up where an order is."
    assert listed.parameters == (
        '{"properties":{"order":{"type":"string"}},"required":["order"],"type":"object"}'
    )

    one, other = await asyncio.gather(
        called(servers, SHOP, "order_status", order="1"),
        called(servers, SHOP, "order_status", order="2"),
    )
    assert (
        one
        == other
        == Outcome(Status.OK, '{"status": "on its way", "arrives": "tomorrow", "key": "secret"}')
    )
    assert (await called(servers, SHOP, "how_often")).data == '{"result": 2}'

    hanging = asyncio.ensure_future(called(servers, SHOP, "hangs", order="3"))
    failed = await called(servers, SHOP, "fails")
    assert (failed.status, failed.data) == (Status.ERROR, '"Error executing tool fails"')
    nothing = await called(servers, SHOP, "nothing")
    assert (nothing.status, nothing.data) == (Status.OK, '{"result": null}')
    flood = await called(servers, SHOP, "flood")
    assert (flood.status, flood.problem) == (Status.ERROR, "MCP error -32050")
    assert (await called(servers, SHOP, "gone")).status == Status.ERROR
    assert not hanging.done()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert servers.standing(SHOP).down == ""


async def test_a_program_that_dies_is_started_again(servers: McpServers, tmp_path: Path) -> None:
    servers.use([SHOP])
    await servers.asked()
    marker = str(tmp_path / "once")
    back = await called(servers, SHOP, "dies_once", marker=marker)
    assert (back.status, back.data) == (Status.OK, '{"result": "back"}')
    version = servers.version
    marker = str(tmp_path / "twice")
    unknown = await called(servers, SHOP, "dies_once", looks_up=False, marker=marker)
    assert (unknown.status, unknown.retryable) == (Status.UNKNOWN, False)
    assert servers.version >= version
    assert (await called(servers, SHOP, "order_status", order="1")).status == Status.OK


async def test_a_program_that_cannot_be_started_is_down_and_calls_fail_at_once(
    servers: McpServers,
) -> None:
    missing = McpServer("missing", ("/no/such/program",))
    servers.use([missing])
    await servers.asked()
    standing = servers.standing(missing)
    assert (standing.tools, standing.down) == (
        None,
        "its program cannot be started: No such file or directory",
    )
    outcome = await called(servers, missing, "order_status", looks_up=False, order="1")
    assert (outcome.status, outcome.retryable) == (Status.ERROR, True)
    assert outcome.problem == "MCP server missing is down"


async def test_a_program_that_hangs_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    mute = "import sys, time; keep = open(sys.argv[1], 'w'); time.sleep(1000)"
    servers = McpServers()
    servers.use([McpServer("mute", (sys.executable, "-c", mute, str(fifo)))])
    with await asyncio.to_thread(fifo.open) as started:
        await servers.aclose()
        assert await asyncio.to_thread(started.read) == ""


async def test_a_server_is_called_over_http_with_its_headers(servers: McpServers, url: str) -> None:
    shop = McpServer("shop", url=url, headers=(("X-Key", "k"),), allow_private=True)
    refused = McpServer("refused", url=url, allow_private=True)
    private = McpServer("private", url=url, headers=(("X-Key", "k"),))
    servers.use([shop, refused, private])
    await servers.asked()
    assert servers.standing(shop).down == ""
    assert servers.standing(refused).down != ""
    assert servers.standing(private).down == (
        "its host is in a private network; allow_private = true allows that"
    )
    outcome = await called(servers, shop, "order_status", order="1")
    assert outcome.status == Status.OK
    assert "secret" not in repr(SHOP)
