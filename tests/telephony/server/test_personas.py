"""A change of a persona file waits for its MCP servers; no call ever does."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
import structlog

from agent.tools.mcp_server import Listed, McpServer, Standing
from agent.tools.mcp_servers import McpServers
from telephony.server.personas import Personas

HEAD = 'name = "Mira"\ninstructions = "You are Mira."\n'
SHOP = '[mcp.shop]\ncommand = ["shop"]\n[[tools]]\nmcp = "shop:order_status"\n'
UP = Standing({"order_status": Listed("Looks up.", '{"properties":{},"type":"object"}')}, "")


class Unasked(McpServers):
    """Servers that are asked when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[list[str]] = []
        self.stands = Standing()
        self.were = False

    def use(self, servers: Iterable[McpServer]) -> None:
        self.used.append([server.name for server in servers])

    def standing(self, server: McpServer) -> Standing:  # noqa: ARG002 - one for all
        return self.stands

    def were_asked(self, servers: Iterable[McpServer]) -> bool:
        return self.were or not list(servers)

    async def asked(self) -> None:
        await asyncio.sleep(0)


def tools_of(personas: Personas) -> list[str]:
    return [tool.name for tool in personas.last_good.default.persona.tools]


async def test_a_change_is_taken_up_once_its_servers_were_asked(tmp_path: Path) -> None:
    file = tmp_path / "mira.toml"
    file.write_text(HEAD)
    personas = Personas(file)
    personas.servers = servers = Unasked()
    async with personas.asking():
        file.write_text(f'{HEAD}greeting = "Hello."\n{SHOP}')
        before = (await personas.current()).default.persona.greeting_cue
        assert "exactly" not in before
        assert servers.used == [[], ["shop"]]
        servers.were = True
        after = await personas.current()
        assert "Hello." in after.default.persona.greeting_cue
        assert personas.server_problems[0].startswith("MCP server shop is down")
        assert tools_of(personas) == ["end_call", "note"]
        servers.stands = UP
        servers.version += 1
        assert tools_of(personas) == ["end_call", "note", "order_status"]
        assert personas.server_problems == ()
        file.write_text(HEAD)
        assert len((await personas.current()).default.persona.tools) == 2
        assert servers.used[-1] == []


async def test_a_module_of_tools_that_changed_on_disk_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.persona.tooling._imported", {})
    module = tmp_path / "module_that_changes.py"
    module.write_text('def look(order: str) -> str:\n    """Looks."""\n    return order\n')
    file = tmp_path / "mira.toml"
    file.write_text(f'{HEAD}[[tools]]\npython = "module_that_changes:look"\n')
    personas = Personas(file)
    with structlog.testing.capture_logs() as log:
        await personas.current()
        assert log == []
        os.utime(module, ns=(1, 1))
        for _ in range(2):
            await personas.current()
    [told] = log
    assert told["modules"] == [str(module)]
    assert told["event"].startswith("tool modules have changed")
