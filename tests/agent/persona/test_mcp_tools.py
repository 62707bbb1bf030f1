"""The MCP servers of a persona file: mistakes in them, and what becomes of their tools."""

from pathlib import Path

import pytest

from agent.conversation.declaration import Status
from agent.persona import tooling
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read
from agent.persona.remote import joined
from agent.tools.mcp_server import Listed, McpServer, McpTool, Standing
from agent.tools.outcome import Outcome

HEAD = 'name = "Mira"\ninstructions = "You are Mira."\n'
SHOP = '[mcp.shop]\ncommand = ["shop", "--all"]\nenv = { KEY = "env:SHOP_KEY", LEVEL = "1" }\n'
WEB = '[mcp.web]\nurl = "https://shop.example.com/mcp"\nheaders = { X-Key = "env:SHOP_KEY" }\n'
TOOL = '[[tools]]\nmcp = "shop:order_status"\n'
SECRETS = {"SHOP_KEY": "secret"}


def persona(folder: Path, more: str) -> Path:
    file = folder / "mira.toml"
    file.write_text(HEAD + more)
    return file


def test_a_server_is_read_with_its_secrets_and_only_named_tools_are_its_tools(
    tmp_path: Path,
) -> None:
    other = '[[tools]]\nmcp = "web:order.cancel"\nname = "cancel"\n'
    other += "idempotent = true\ntimeout_s = 2\n"
    agents = read([persona(tmp_path, SHOP + WEB + TOOL + other)], SECRETS.get)
    shop, web = agents.default.mcp_tools
    assert shop.server == McpServer(
        "shop",
        ("shop", "--all"),
        (("KEY", "secret"), ("LEVEL", "1")),
        folder=str(tmp_path.resolve()),
    )
    assert web.server == McpServer(
        "web", url="https://shop.example.com/mcp", headers=(("X-Key", "secret"),)
    )
    assert "secret" not in repr(agents.default)
    assert (shop.its_name, shop.declared.name, shop.declared.idempotent) == (
        "order_status",
        "order_status",
        False,
    )
    assert (web.its_name, web.declared.name, web.declared.idempotent) == (
        "order.cancel",
        "cancel",
        True,
    )
    assert web.declared.timeout_ms == 2_000
    assert {tool.name for tool in agents.default.persona.tools} == {"end_call", "note"}


@pytest.mark.parametrize(
    ("more", "line", "key", "what"),
    [
        ("[mcp.shop]\n", 3, "mcp.shop", 'expected command = ["program", …] or url'),
        (SHOP + 'url = "https://a"\n', 6, "mcp.shop.url", "expected no url beside command"),
        ('[mcp.shop]\nurl = "ftp://a"\n', 4, "mcp.shop.url", "expected a URL such as"),
        ('[mcp.shop]\nurl = "https://me@a"\n', 4, "mcp.shop.url", "a user or key belongs into"),
        (WEB + 'env = { A = "b" }\n', 6, "mcp.web.env", "expected no env beside url"),
        (WEB.replace("SHOP_KEY", "NO"), 5, "mcp.web.headers.X-Key", "set NO in the environment"),
        ("[mcp.Shop]\n", 3, "mcp.Shop", "expected a name of small letters"),
        (SHOP + "tools = []\n", 6, "mcp.shop.tools", "expected a known key, got 'tools'"),
        (SHOP + TOOL.replace("shop:", "shoe:"), 7, "tools[0].mcp", "did you mean shop?"),
        (TOOL, 4, "tools[0].mcp", "add [mcp.shop]"),
        (SHOP + TOOL.replace(":", "."), 7, "tools[0].mcp", 'expected "server:tool"'),
        (SHOP + TOOL + 'url = "https://a"\n', 8, "tools[0].url", "expected no url beside mcp"),
        (SHOP + TOOL + 'python = "a:b"\n', 8, "tools[0].python", "expected no python beside mcp"),
        (SHOP + TOOL + TOOL, 8, "tools[1].name", "expected a name of its own"),
        (SHOP + TOOL + 'name = "note"\n', 8, "tools[0].name", "expected a name of its own"),
        (SHOP + TOOL.replace("_", "-"), 6, "tools[0].name", "add a line such as name = …"),
        ("[[tools]]\nidempotent = true\n", 4, "tools[0].idempotent", "only beside mcp"),
    ],
)
def test_a_mistake_is_named_by_its_line_and_key(
    tmp_path: Path, more: str, line: int, key: str, what: str
) -> None:
    with pytest.raises(PersonaError) as raised:
        read([persona(tmp_path, more)], SECRETS.get)
    [mistake] = raised.value.mistakes
    assert (mistake.line, mistake.key) == (line, key)
    assert what in mistake.what


def test_without_the_client_the_mistake_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tooling, "is_installed", lambda: False)
    with pytest.raises(PersonaError, match=r'mcp.shop: expected .*pip install "offhook\[mcp\]"'):
        read([persona(tmp_path, SHOP + TOOL)], SECRETS.get)


class Answers:
    """A tool that answers with its own name."""

    def __init__(self, tool: McpTool) -> None:
        self._tool = tool

    async def run(self, arguments: object) -> Outcome:
        return Outcome(Status.OK, f'"{self._tool.its_name} {arguments}"')


ORDER = '{"properties":{"order":{"type":"string"}},"required":["order"],"type":"object"}'
LISTED = {
    "order_status": Listed("Looks up.", ORDER),
    "refund": Listed("Pays back.", ORDER),
    "odd": Listed("", "", "its arguments are no object"),
}


async def test_the_tools_that_a_server_told_of_are_declared_and_run(tmp_path: Path) -> None:
    named = '[[tools]]\nmcp = "shop:{}"\ndescription = "Our words."\n'
    more = SHOP + TOOL + "".join(map(named.format, ("refund", "odd", "gone")))
    agents = read([persona(tmp_path, more)], SECRETS.get)
    found = joined(agents, lambda _: Standing(LISTED, ""), Answers)
    agent = found.agents.default
    assert [(t.name, t.description, t.parameters) for t in agent.persona.tools[2:]] == [
        ("order_status", "Looks up.", ORDER),
        ("refund", "Our words.", ORDER),
    ]
    left_out = "MCP server shop: its tool {} is left out: {}"
    known = "order_status, refund, odd"
    assert found.problems == (
        left_out.format("'odd'", "its arguments are no object"),
        left_out.format("'gone'", f"there is no such tool; there are {known}"),
    )
    ran = await agent.toolbox.run("refund", '{"order": "1"}')
    assert ran.data == "\"refund {'order': '1'}\""


def test_a_server_that_is_down_is_said_and_keeps_only_tools_that_are_known(tmp_path: Path) -> None:
    agents = read([persona(tmp_path, SHOP + TOOL)], SECRETS.get)
    never = joined(agents, lambda _: Standing(None, "it ended"), Answers)
    assert never.problems == (
        "MCP server shop is down (it ended); its tools are left out, and it is tried again",
    )
    assert len(never.agents.default.persona.tools) == 2
    once = joined(agents, lambda _: Standing(LISTED, "it ended"), Answers)
    assert once.problems == (
        "MCP server shop is down (it ended); its tools answer with an error, and it is tried again",
    )
    assert len(once.agents.default.persona.tools) == 3
