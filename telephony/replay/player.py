"""Feeds a recording to a call again, with the recorded times, and compares the commands.

There is no event loop, socket or clock. The call is pure, so the same events give the same
commands, and every difference comes from the code. An additional command is a difference, and so is
a missing one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from traceback import extract_tb

from telephony.call.events import CallOpened, Event
from telephony.call.machine import Call
from telephony.replay.command_lines import CommandLines
from telephony.replay.recording import Golden, Step

CONTEXT = 5
"""Lines shown before a difference, and of each side from it on."""


@dataclass(slots=True)
class Played:
    """What the call did this time.

    Args:
        steps: Every step, up to a bug.
        lines: Its commands, as lines of `expect.jsonl`, `Sum` among them if it was played whole.
        sha256: The hash of them all.
        bug: What the call raised, and where; "" if nothing.
    """

    steps: list[Step] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    sha256: str = ""
    bug: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a call first did something else; `line` counts from 1, in `expect.jsonl`."""

    line: int
    before: Sequence[str]
    expected: Sequence[str]
    got: Sequence[str]


def play(events: Iterable[tuple[Event, int]], *, whole: bool = True) -> Played:
    """Live a recorded call again.

    Args:
        events: What it was fed, each with its time in ms; `CallOpened` first.
        whole: False for a recording that was cut off: then a run of commands that its next event
            might have gone on with is left open.
    """
    played, lines, call = Played(), CommandLines(), None
    for number, (event, now_ms) in enumerate(events):
        try:
            if isinstance(event, CallOpened) and call is None:
                call = Call(event)
            assert call is not None, "expected CallOpened first"  # noqa: S101 - the reader saw to it
            commands = call.step(event, now_ms)
        except Exception as bug:  # noqa: BLE001 - whatever it is, it is what is looked for
            played.bug = _told(bug, number, event, now_ms)
            break
        lines.add(number, now_ms, commands)
        played.steps.append(Step(event, now_ms, commands))
    if whole:
        played.sha256 = lines.end()
    played.lines = lines.take()
    return played


def difference(golden: Golden, played: Played) -> Difference | None:
    """The first difference between what a call has to do and what it did; None if there is none.

    What was cut off of either side is not compared.
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
