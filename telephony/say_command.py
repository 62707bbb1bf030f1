"""`offhook say`: talks with a running `offhook dev`, line by line, and prints the answers."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telephony.errors import UsageError
from telephony.process import one_blas_thread, run

if TYPE_CHECKING:
    from telephony.browser_phone.talk import Told
    from telephony.simulator.script import Keys, Utterance

KEYS = "keys:"
"""Begins a line that is pressed and not said."""


def say(
    lines: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to say, in turn: a WAV file (8 kHz, mono), the name or the words of a clip, "
            "or keys:1#. Without any, each line of the standard input is said."
        ),
    ] = None,
    address: Annotated[
        str, typer.Option("--to", help="The address that `offhook dev` prints, with its key.")
    ] = "",
    answer_s: Annotated[
        float, typer.Option("--patience", min=1, help="How long to wait for each answer, in s.")
    ] = 30.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each line.")
    ] = False,
) -> None:
    """Talk with a running `offhook dev` from a script, and read its answers.

    It calls, waits for the greeting, says a line, prints the answer once it was
    heard to its end, and says the next one. After the last one it hangs up.
    Exit code 1 means that not everything was answered.
    """
    if not address:
        raise UsageError("--to: expected the address that `offhook dev` prints, got none")
    one_blas_thread()
    from telephony.browser_phone.talk import talk

    def tell(told: "Told") -> None:
        typer.echo(json.dumps(asdict(told), ensure_ascii=False) if as_json else _words(told))

    raise typer.Exit(not run(talk(address, _deeds(lines), tell, answer_s=answer_s)))


def _words(told: "Told") -> str:
    cut = "  (cut there)" if told.cut else ""
    return f"{told.kind:<8} {told.text}{cut}"


def _deeds(lines: Sequence[str] | None) -> "AsyncIterator[Utterance | Keys]":
    """What each line asks for. All that are known are checked before the call."""
    if lines:
        return _each([deed(line) for line in lines])
    return _read()


async def _each(deeds: "Sequence[Utterance | Keys]") -> "AsyncIterator[Utterance | Keys]":
    for each in deeds:
        yield each


async def _read() -> "AsyncIterator[Utterance | Keys]":
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield deed(line.strip())


def deed(line: str) -> "Utterance | Keys":
    """What a line asks the caller to do.

    Raises:
        UsageError: It is neither a clip, nor the words of one, nor a WAV file, nor keys.
    """
    from agent.simulator.voice import texts
    from telephony.simulator.script import Keys, Utterance, read

    if line.startswith(KEYS):
        step = {"press": line.removeprefix(KEYS)}
    else:
        said = (name for name, words in texts().items() if words == line)
        clips = (name.removeprefix("caller/") for name in said if name.startswith("caller/"))
        step = {"say": next(clips, line)}
    (only,) = read({"steps": [step]}, Path()).steps
    match only.deed:
        case Utterance() | Keys() as found:
            return found
        case other:
            raise UsageError(f"expected something to say, got {other!r}")
