"""Every source file keeps the habits that a linter does not know."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("agent", "telephony", "tests", "fixtures")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

LONGEST_LINES = 400
"""Twice as long as most; beyond it a file holds more than one idea."""

PURE_LINES = 300
"""The same of the rooms that decide and do nothing else: they are read as a whole."""

PURE_ROOMS = (
    "agent/conversation",
    "telephony/audio",
    "telephony/call",
    "telephony/replay",
    "telephony/twilio",
)

NOQA = re.compile(r"noqa(?!\w)(?P<codes>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)")
IGNORE = re.compile(r"type:\s*ignore(?P<codes>\[[\w, -]+\])?(?P<reason>.*)")
BROAD = re.compile(r"\bexcept\b(?:\s*:|[^:]*\b(?:Base)?Exception\b)")
SKIP = re.compile(r"mark\.(?:skip|xfail)\b")
SKIP_NOW = re.compile(r"pytest\.(?:skip|xfail|importorskip)\b")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_and_comments(text: str) -> Iterator[tuple[int, str, str]]:
    """Each line with code or a comment: its number, its code without strings, its comment."""
    code: dict[int, list[str]] = {}
    comments: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string
        elif token.type in (tokenize.NAME, tokenize.OP):
            code.setdefault(token.start[0], []).append(token.string)
    for line in sorted(code.keys() | comments.keys()):
        yield line, " ".join(code.get(line, ())), comments.get(line, "")


def unexplained(text: str) -> list[str]:
    """The exceptions to our rules that do not give a reason on their line."""
    found: list[str] = []
    for line, code, comment in code_and_comments(text):
        for rule in (NOQA, IGNORE):
            exception = rule.search(comment)
            if exception and not (exception["codes"] and re.search(r"\w\w", exception["reason"])):
                found.append(f"{line}: {comment}: expected a code, and a reason behind it")
        if BROAD.search(code) and not re.search(r"\w\w", comment):
            found.append(f"{line}: {code}: expected named exceptions, or a reason on the line")
        if SKIP.search(code.replace(" . ", ".")):
            found.append(f"{line}: {code}: expected a test that runs, or none")
        if SKIP_NOW.search(code.replace(" . ", ".")) and not re.search(r"\w\w", comment):
            found.append(f"{line}: {code}: expected tests.programs, or a reason on the line")
    return found


def limit(name: str) -> int:
    """How many lines a file may have."""
    return PURE_LINES if name.rpartition("/")[0] in PURE_ROOMS else LONGEST_LINES


def test_a_file_holds_one_idea() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lines.items() if length > limit(name)} == {}


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_a_room_of_short_files_is_there(room: str) -> None:
    assert [name for name in map(name_of, SOURCES) if name.startswith(f"{room}/")]


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    found = {name_of(path): unexplained(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {name: exceptions for name, exceptions in found.items() if exceptions} == {}


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: S101",
        "x = 1  # type: ignore",
        "x = 1  # type: ignore # because",
        "x = 1  # type: ignore[arg-type]",
        "try:\n    pass\nexcept:\n    pass",
        "try:\n    pass\nexcept Exception:\n    pass",
        "try:\n    pass\nexcept (ValueError, BaseException) as error:\n    pass",
        "@pytest.mark.skip(reason='later')\ndef test(): ...",
        "def test():\n    pytest.skip('sox is not here')",
    ],
)
def test_an_exception_without_its_reason_is_seen(line: str) -> None:
    assert unexplained(line)


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: S101, S105 - the name of a setting",
        "x = 1  # type: ignore[arg-type]  # checked above",
        "try:\n    pass\nexcept Exception:  # the call ends, the worker does not\n    pass",
        "try:\n    pass\nexcept ExceptionGroup:\n    pass",
        "text = 'except Exception: # noqa'",
    ],
)
def test_an_exception_with_its_reason_passes(line: str) -> None:
    assert unexplained(line) == []
