"""What the doctor says of the agents' MCP servers; how real ones are asked is tested with them."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.persona import asking
from agent.tools.mcp_server import Listed, McpServer, Standing
from telephony.number.agents import ask_servers, read_agents
from telephony.number.findings import Unwell

FILE = """
name = "Ada"
instructions = "You are Ada."
[mcp.shop]
command = ["shop"]
[mcp.calendar]
command = ["calendar"]
[[tools]]
mcp = "shop:order_status"
[[tools]]
mcp = "shop:how_often"
[[tools]]
mcp = "calendar:book"
"""


class Asked:
    """Servers that were asked, in place of `McpServers`."""

    def __init__(self, **standing: Standing) -> None:
        self._standing = standing
        self.closed = False

    def use(self, servers: Iterable[McpServer]) -> None:
        assert {server.name for server in servers} == self._standing.keys()

    async def asked(self) -> None:
        pass

    def standing(self, server: McpServer) -> Standing:
        return self._standing[server.name]

    async def aclose(self) -> None:
        self.closed = True


def has(*tools: str) -> Standing:
    return Standing(dict.fromkeys(tools, Listed("Does it.", '{"type":"object"}')), "")


async def said(folder: Path, monkeypatch: pytest.MonkeyPatch, **standing: Standing) -> str:
    """What is said of these servers, and that no connection is left."""
    (folder / "ada.toml").write_text(FILE)
    servers = Asked(**standing)
    monkeypatch.setattr(asking, "McpServers", lambda _errors: servers)
    try:
        return await ask_servers(await read_agents(folder / "ada.toml"))
    finally:
        assert servers.closed


async def test_each_server_is_said_with_its_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = has("order_status", "how_often", "hangs")
    detail = await said(tmp_path, monkeypatch, shop=shop, calendar=has("book"))
    assert detail == "calendar has book; shop has order_status, how_often"


async def test_a_server_that_is_down_and_a_tool_that_is_missing_are_said_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = Standing(None, "it did not answer in time")
    with pytest.raises(Unwell) as unwell:
        await said(tmp_path, monkeypatch, shop=has("order_status"), calendar=down)
    assert unwell.value.detail.split("; ") == [
        "MCP server shop: its tool 'how_often' is left out: there is no such tool",
        "there are order_status",
        "MCP server calendar is down (it did not answer in time)",
        "its tools are left out, and it is tried again",
        "shop has order_status",
    ]


async def test_where_no_agent_names_a_server_none_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "McpServers", None)
    assert await ask_servers(await read_agents(None)) == "no agent names one"
