"""What the command line says of itself."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from telephony.cli import app

OFFHOOK = Path(sys.executable).with_name("offhook")


def leaves(command: Any, path: tuple[str, ...] = ("offhook",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its whole name."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


COMMANDS = dict(leaves(typer.main.get_command(app)))
every_command = pytest.mark.parametrize("name", COMMANDS)


@every_command
def test_a_command_says_in_sentences_what_it_does_and_what_its_options_do(name: str) -> None:
    command = COMMANDS[name]
    said = {parameter.name: parameter.help for parameter in command.params}
    for what, text in {"the command": command.help, **said}.items():
        assert text, what
        assert text.endswith("."), (what, text)
        assert not text[0].islower(), (what, text)


@every_command
def test_a_command_has_an_example_that_the_command_line_takes(name: str) -> None:
    example = COMMANDS[name].epilog
    assert example.startswith(f"Example: {name}")
    words = shlex.split(example.removeprefix("Example: "))[len(name.split()) :]
    COMMANDS[name].make_context(name, words)


def offhook(*arguments: str, **environment: str) -> str:
    ran = subprocess.run(  # noqa: S603 - our own command
        [OFFHOOK, *arguments],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


@pytest.mark.real
def test_the_version_is_that_of_the_package() -> None:
    assert offhook("--version") == f"offhook {version('offhook')}\n"


@pytest.mark.real
def test_a_shell_completes_commands() -> None:
    words = {"_OFFHOOK_COMPLETE": "complete_bash", "COMP_WORDS": "offhook si", "COMP_CWORD": "1"}
    assert offhook(**words).split() == ["simulate"]
