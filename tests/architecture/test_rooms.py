"""The rooms keep their laws: who may import whom, what the pure ones may touch, their door signs.

The contracts in pyproject.toml, which `make check` keeps, see which module imports which. What they
cannot see, names and calls, is read here from the syntax tree.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for room in ("agent", "telephony") for path in (ROOT / room).rglob("*.py"))
INIT = "__init__.py"
PURE_ROOMS = (
    "agent/conversation",
    "agent/privacy",
    "telephony/audio",
    "telephony/call",
    "telephony/dialling",
    "telephony/twilio",
)
PURE = [
    path
    for path in SOURCES
    if f"{path.relative_to(ROOT).parent}/".startswith(tuple(f"{room}/" for room in PURE_ROOMS))
]

STANDARD = (
    "base64 binascii bisect collections contextlib dataclasses decimal enum fractions functools "
    "hashlib heapq hmac itertools json math operator random.Random re string struct typing "
    "urllib.parse"
)
"""What a pure room may take from the standard library: nothing in it reads the world. Of random
the class alone, since its functions share one hidden seed."""

ALLOWED = {
    "agent/conversation": "agent.conversation",
    "agent/conversation/links.py": "unicodedata",
    "agent/conversation/seam.py": "numpy",
    "agent/conversation/sms.py": "datetime.date unicodedata",
    "agent/privacy": "agent.conversation agent.privacy phonenumbers",
    "telephony/audio": "telephony.audio audioop numpy soxr",
    "telephony/audio/wav.py": "pathlib wave",
    "telephony/call": "agent.conversation telephony.audio telephony.call telephony.twilio.messages",
    "telephony/dialling": "agent.persona.hours agent.persona.outbound phonenumbers "
    "telephony.dialling",
    "telephony/dialling/rules.py": "datetime.datetime",
    "telephony/twilio": "msgspec telephony.twilio",
    "telephony/twilio/conference.py": "twilio.twiml",
    "telephony/twilio/signature.py": "twilio.request_validator",
    "telephony/twilio/twiml.py": "twilio.twiml",
}
"""What it may take besides, by room, and by file where only that one has a use for it."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The full name of everything imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def attributes(tree: ast.Module) -> Iterator[str]:
    """Every dotted name in the code, such as ``os.environ``."""
    return (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def reads_environment(tree: ast.Module) -> bool:
    names = {*imported(tree), *attributes(tree)}
    return any(name.startswith(("os.environ", "os.getenv")) for name in names)


def foreign(path: Path, tree: ast.Module) -> list[str]:
    """What a file of a pure room imports though nobody allows it."""
    name = name_of(path)
    allowed = STANDARD.split()
    for place, modules in ALLOWED.items():
        if name == place or name.startswith(f"{place}/"):
            allowed += modules.split()
    return [
        module
        for module in imported(tree)
        if not any(module == known or module.startswith(f"{known}.") for known in allowed)
    ]


def waits(tree: ast.Module) -> list[int]:
    """The lines where code is asynchronous."""
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    return [node.lineno for node in ast.walk(tree) if isinstance(node, kinds)]


def console_calls(tree: ast.Module) -> set[str]:
    """The calls that print, ask, or open a file."""
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return calls & {"print", "input", "open"}


def test_a_pure_room_imports_only_what_its_door_sign_allows() -> None:
    found = {name_of(path): foreign(path, parsed(path)) for path in PURE}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_a_pure_room_never_waits() -> None:
    found = {name_of(path): waits(parsed(path)) for path in PURE}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_waiting_is_seen() -> None:
    assert waits(ast.parse("async def later(): ..."))


def test_a_pure_room_neither_prints_nor_opens_files() -> None:
    found = {name_of(path): console_calls(parsed(path)) for path in PURE}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_printing_is_seen() -> None:
    assert console_calls(ast.parse("def tell():\n    print('x')")) == {"print"}


def test_the_environment_is_read_in_settings_alone() -> None:
    readers = {name_of(path) for path in SOURCES if reads_environment(parsed(path))}
    assert readers == {"telephony/settings.py", "telephony/process.py"}, "process only sets it"


@pytest.mark.parametrize(
    "code", ["import os\nos.environ['X']", "from os import getenv", "import os\nos.getenv('X')"]
)
def test_every_way_to_read_the_environment_is_seen(code: str) -> None:
    assert reads_environment(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "import asyncio",
        "import time",
        "from time import monotonic",
        "from datetime import datetime",
        "import random",
        "from random import random",
        "def later():\n    import os",
        "from telephony.settings import Settings",
        "from agent.gemini import session",
        "from telephony.twilio.signature import Signature",
    ],
)
def test_an_impure_import_of_a_call_is_seen(code: str) -> None:
    assert foreign(ROOT / "telephony/call/machine.py", ast.parse(code)) != []


def test_a_pure_room_may_be_handed_a_seeded_random() -> None:
    tree = ast.parse("from random import Random")
    assert foreign(ROOT / "agent/conversation/machine.py", tree) == []


def test_every_room_has_a_door_sign_of_more_than_a_line() -> None:
    """It says what the room is, its laws, and what it may import."""
    signs = {path: ast.get_docstring(parsed(path)) or "" for path in SOURCES if path.name == INIT}
    assert [name_of(path) for path, sign in signs.items() if len(sign.splitlines()) < 2] == []


def test_every_door_sign_names_every_file_of_its_room() -> None:
    signs = {path.parent: path.read_text("utf-8") for path in SOURCES if path.name == INIT}
    files = [path for path in SOURCES if path.name != INIT and path.parent in signs]
    assert [
        name_of(path)
        for path in files
        if not re.search(rf"^ +([\w, ]+, )?{path.stem}\b", signs[path.parent], re.MULTILINE)
    ] == []


def test_every_module_says_what_it_is() -> None:
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(parsed(path))] == []
