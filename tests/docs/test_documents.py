"""The documents are true as far as a program can tell: links, commands, rooms, length."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from telephony.cli import app
from tests.docs.documents import DOCUMENTS, ROOT, Command, anchors, commands, links

README_LINES = 130
"""More than that, nobody reads."""

COMMANDS = [
    command for page in DOCUMENTS if page.name != "CHANGELOG.md" for command in commands(page)
]
"""Those of every page but the changelog, which tells of commands as they were."""

OFFHOOK = [
    one
    for one in COMMANDS
    if one.words[0] == "offhook" and not any("…" in word or "<" in word for word in one.words)
]
RUN_BY = {
    "call": "end_to_end/test_outbound.py",
    "calls export": "telephony/test_told_calls.py",
    "calls ls": "telephony/test_told_calls.py",
    "calls purge": "telephony/test_calls_commands.py",
    "calls show": "telephony/test_told_calls.py",
    "chaos": "end_to_end/test_chaos.py",
    "demo": "end_to_end/conftest.py",
    "dev": "telephony/browser_phone/test_dev.py",
    "doctor": "end_to_end/test_doctor.py",
    "fixture from-call": "telephony/fixture/test_commands.py",
    "fixture lint": "telephony/fixture/test_commands.py",
    "fixture migrate": "telephony/fixture/test_commands.py",
    "fixture scrub": "telephony/fixture/test_commands.py",
    "number link": "end_to_end/test_number.py",
    "number list": "end_to_end/test_number.py",
    "number show": "end_to_end/test_number.py",
    "number unlink": "end_to_end/test_number.py",
    "persona check": "agent/persona/test_commands.py",
    "persona new": "agent/persona/test_commands.py",
    "replay": "end_to_end/test_wire_replay.py",
    "say": "telephony/browser_phone/test_talk.py",
    "serve": "docs/test_readme_walk.py",
    "simulate call": "docs/test_readme_walk.py",
    "simulate phone": "end_to_end/test_outbound.py",
    "simulate gemini": "docs/test_readme_walk.py",
    "try": "end_to_end/test_command_line.py",
}
"""Which test runs a command that a document names."""


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            continue
        target = page if not parts.path else (page.parent / parts.path).resolve()
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    while more := _linked(reached) - reached:
        reached |= more
    assert set((ROOT / "docs").glob("*.md")) <= reached


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {one.words[1] for one in COMMANDS if one.words[0] == "make" and one.words[1:]}
    assert {"demo", "test", "faults"} <= named <= targets


@pytest.mark.parametrize("command", OFFHOOK, ids=str)
def test_every_command_is_one_that_offhook_takes(command: Command) -> None:
    found = _found(command)
    if command.whole:
        found.command.make_context(found.name, [*found.rest], parent=found.context)
    known = {option for parameter in found.command.params for option in parameter.opts}
    assert {word for word in found.rest if word.startswith("--")} <= known | {"--help"}


def test_every_command_named_is_run_by_a_test() -> None:
    assert {found.name for found in map(_found, OFFHOOK) if not found.group} <= RUN_BY.keys()
    for command, test in RUN_BY.items():
        source = (ROOT / "tests" / test).read_text(encoding="utf-8")
        assert all(word in source for word in command.split()), (command, test)


def test_the_architecture_page_lists_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `((?:agent|telephony)/\w+)`", page, re.MULTILINE))
    rooms = {
        str(sign.parent.relative_to(ROOT))
        for package in ("agent", "telephony")
        for sign in (ROOT / package).glob("*/__init__.py")
    }
    assert listed == rooms


def _linked(pages: set[Path]) -> set[Path]:
    found = set()
    for page in pages:
        for link in links(page):
            path = urlsplit(link).path
            if path.endswith(".md") and not urlsplit(link).scheme:
                found.add(Path(os.path.normpath(page.parent / path)))
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A command of offhook, and the words behind its name."""

    command: Any
    context: Any
    name: str
    group: bool
    rest: tuple[str, ...]


def _found(command: Command) -> Found:
    """Look a command up as the command line does."""
    found: Any = typer.main.get_command(app)
    context = found.make_context("offhook", ["serve"])
    words, path = list(command.words[1:]), []
    while words and hasattr(found, "resolve_command") and not words[0].startswith("-"):
        name, found, words = found.resolve_command(context, words)
        path.append(name)
    return Found(found, context, " ".join(path), hasattr(found, "resolve_command"), tuple(words))
