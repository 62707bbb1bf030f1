"""The tools of a persona file: what the model is told, what runs them, and mistakes in them."""

import json
from pathlib import Path

import pytest

from agent.conversation.built_in_tools import BUILT_IN_TOOLS
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read

HEAD = 'name = "Mira"\ninstructions = "You are Mira."\n'

MODULE = '''
from agent.tools import tool

@tool(idempotent=True)
def look_up(order: str, fast: bool = False) -> str:
    """Looks up an order."""
    return order

@tool
async def book(seats: int) -> None:
    """Books seats."""

def silent(order: str) -> str:
    return order

def untyped(order) -> str:
    """Has no types."""
    return order

class Order:
    pass

def odd(order: Order) -> str:
    """Takes something that no model has."""
    return ""
'''

PYTHON = '[[tools]]\npython = "{}"\n'
WEB = '[[tools]]\nname = "hours"\ndescription = "Opening hours."\nurl = "{}"\n'
TOWN = '[tools.parameters.town]\ndescription = "Which town."\n'
URL = "https://api.example.com/{town}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mira_tools.py").write_text(MODULE)
    (tmp_path / "mira_broken.py").write_text("import a_module_that_is_not_there\n")
    return tmp_path


def persona(folder: Path, more: str) -> Path:
    file = folder / "mira.toml"
    file.write_text(HEAD + more)
    return file


def test_a_function_is_declared_by_its_signature_and_docstring(folder: Path) -> None:
    file = persona(folder, PYTHON.format("mira_tools:look_up") + "timeout_s = 2\n")
    tools = read([file]).default.persona.tools
    assert [tool.name for tool in tools] == ["end_call", "note", "look_up"]
    look_up = tools[-1]
    assert (look_up.description, look_up.idempotent, look_up.timeout_ms) == (
        "Looks up an order.",
        True,
        2_000,
    )
    assert json.loads(look_up.parameters) == {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "fast": {"type": "boolean", "default": False},
        },
        "required": ["order"],
    }


def test_an_http_call_is_declared_by_the_file_alone(folder: Path) -> None:
    more = 'enum = ["Bonn", "Kiel"]\n[tools.parameters.day]\nrequired = false\npattern = "[a-z]+"\n'
    tools = read([persona(folder, "builtin = []\n" + WEB.format(URL) + TOWN + more)]).default
    [hours] = tools.persona.tools
    assert hours.idempotent
    assert json.loads(hours.parameters) == {
        "type": "object",
        "properties": {
            "town": {"type": "string", "description": "Which town.", "enum": ["Bonn", "Kiel"]},
            "day": {"type": "string", "pattern": "[a-z]+"},
        },
        "required": ["town"],
    }


def test_a_post_is_an_act(folder: Path) -> None:
    file = persona(folder, WEB.format(URL) + 'method = "POST"\n' + TOWN)
    assert not read([file]).default.persona.tools[-1].idempotent


def test_a_header_comes_from_the_environment(folder: Path) -> None:
    file = persona(folder, WEB.format(URL) + 'headers = { X-Key = "env:KEY" }\n' + TOWN)
    assert read([file], {"KEY": "secret"}.get).default.toolbox is not None


MISTAKES = {
    "no such module": (PYTHON.format("nowhere:look_up"), 4, "tools[0].python", "beside this file"),
    "a broken module": (PYTHON.format("mira_broken:f"), 4, "tools[0].python", "a_module_that"),
    "no such function": (PYTHON.format("mira_tools:f"), 4, "tools[0].python", "look_up"),
    "no function": (PYTHON.format("mira_tools"), 4, "tools[0].python", "module:function"),
    "no types": (PYTHON.format("mira_tools:untyped"), 4, "tools[0].python", "order: str"),
    "odd types": (PYTHON.format("mira_tools:odd"), 4, "tools[0].python", "simple types"),
    "no docstring": (PYTHON.format("mira_tools:silent"), 4, "tools[0].python", "docstring"),
    "both": (PYTHON.format("mira_tools:book") + 'method = "GET"\n', 5, "tools[0].method", "python"),
    "neither": ('[[tools]]\nname = "x"\n', 3, "tools[0]", "url"),
    "no name": ('[[tools]]\nurl = "https://a.example"\n', 3, "tools[0].name", "add a line"),
    "an undeclared parameter": (WEB.format(URL), 6, "tools[0].url", "[tools.parameters.town]"),
    "an optional parameter in the url": (
        WEB.format(URL) + TOWN + "required = false\n", 6, "tools[0].url", "required"
    ),
    "no url": (WEB.format("orders"), 6, "tools[0].url", "https://"),
    "a host that the model may choose": (
        WEB.format("https://{town}.example.com") + TOWN, 6, "tools[0].url", "fixed host"
    ),
    "an unknown variable": (
        WEB.format(URL) + 'headers = { X-Key = "env:NO_KEY" }\n' + TOWN,
        7, "tools[0].headers.X-Key", "set NO_KEY",
    ),
    "a bad pattern": (
        WEB.format(URL) + TOWN + 'pattern = "["\n', 9, "tools[0].parameters.town.pattern",
        "regular expression",
    ),
    "a bad type": (
        WEB.format(URL) + TOWN + 'type = "strign"\n', 9, "tools[0].parameters.town.type", '"string"'
    ),
    "a bad name": ('[[tools]]\nname = "my tool"\n', 4, "tools[0].name", "letters"),
    "a slip": (
        PYTHON.format("mira_tools:book") + "timeout = 3\n", 5, "tools[0].timeout", "timeout_s"
    ),
    "a name twice": (
        2 * PYTHON.format("mira_tools:book"), 5, "tools[1].name", "a name of its own"
    ),
    "a built-in's name": (
        PYTHON.format("mira_tools:book") + 'name = "end_call"\n', 5, "tools[0].name", "its own"
    ),
    "an unknown built-in": ('builtin = ["endcall"]\n', 3, "builtin[0]", "end_call"),
    "keys": ('on_keys = "say"\n', 3, "on_keys", '"tell"'),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_tool_is_named_by_its_line(folder: Path, name: str) -> None:
    more, line, key, what = MISTAKES[name]
    with pytest.raises(PersonaError) as raised:
        read([persona(folder, more)])
    [mistake] = raised.value.mistakes
    assert (mistake.line, mistake.key) == (line, key)
    assert what in mistake.what


def test_the_built_in_tools_are_what_their_names_say() -> None:
    assert [(name, tool.name) for name, tool in BUILT_IN_TOOLS.items()] == [
        ("end_call", "end_call"),
        ("note", "note"),
        ("collect_digits", "collect_digits"),
        ("send_digits", "send_digits"),
        ("take_message", "take_message"),
    ]
