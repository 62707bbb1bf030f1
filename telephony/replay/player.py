"""Feeds a recording to a call again, with the recorded times, and compares the commands.

There is no event loop, socket or clock. The call is pure, so the same events give the same
commands, and every difference comes from the code. An additional command is a difference, and so is
a missing one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from traceback import extract_tb

from telephony.call.events import CallOpened, Event
from telephony.call.machine import Call
from telephony.replay.command_lines import CommandLines
from telephony.replay.recording import Golden, Step

CONTEXT = 5
"""How many lines are shown before a difference, and of each side from it on."""


@dataclass(slots=True)
class Played:
    """The result of one replay.

    Args:
        steps: All steps, up to a bug.
        lines: The commands as lines of `expect.jsonl`, with `Sum` if the whole call was played.
        sha256: The hash of all commands.
        bug: The exception that the call raised, and where; "" if none.
    """

    steps: list[Step] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    sha256: str = ""
    bug: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of a call; `line` counts from 1, in `expect.jsonl`."""

    line: int
    before: Sequence[str]
    expected: Sequence[str]
    got: Sequence[str]


type Look = Callable[[Call, Step], None]


def play(
    events: Iterable[tuple[Event, int]], *, whole: bool = True, look: Look | None = None
) -> Played:
    """Run a recorded call again.

    Args:
        events: The events, each with its time in ms; `CallOpened` first.
        whole: False for a recording that was cut off. Then the last run of commands stays open,
            because the next event might have continued it.
        look: Looks at the call after each step, and changes nothing.
    """
    played, lines, call = Played(), CommandLines(), None
    for number, (event, now_ms) in enumerate(events):
        try:
            if isinstance(event, CallOpened) and call is None:
                call = Call(event)
            assert call is not None, "expected CallOpened first"  # noqa: S101 - the reader has checked it
            commands = call.step(event, now_ms)
        except Exception as bug:  # noqa: BLE001 - any bug of the call is a result
            played.bug = _told(bug, number, event, now_ms)
            break
        if commands:
            lines.add(number, now_ms, commands)
        played.steps.append(Step(event, now_ms, commands))
        if look is not None:
            look(call, played.steps[-1])
    if whole:
        played.sha256 = lines.end()
    played.lines = lines.take()
    return played


def difference(golden: Golden, played: Played) -> Difference | None:
    """The first difference between the expected and the actual lines; None if there is none.

    If one side was cut off, only the common part is compared.
    """
    expected, got = list(golden.lines), played.lines[: -1 if played.sha256 else None]
    if not (golden.whole and played.sha256):
        shorter = min(len(expected), len(got))
        expected, got = expected[:shorter], got[:shorter]
    if expected == got:
        return None
    pairs = enumerate(zip(expected, got, strict=False))
    at = next((n for n, (a, b) in pairs if a != b), min(len(expected), len(got)))
    return Difference(
        at + 1,
        _text(expected[max(0, at - CONTEXT) : at]),
        _text(expected[at : at + CONTEXT]),
        _text(got[at : at + CONTEXT]),
    )


def _text(lines: Sequence[bytes]) -> list[str]:
    return [line.decode().rstrip("\n") for line in lines]


def _told(bug: Exception, step: int, event: Event, now_ms: int) -> str:
    where = extract_tb(bug.__traceback__)[-1]
    place = f"{where.filename}:{where.lineno}"
    what = f"{type(event).__name__}, step {step}, {now_ms} ms"
    return f"{type(bug).__name__}: {bug} ({place}; {what})"
