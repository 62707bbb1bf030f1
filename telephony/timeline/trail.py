"""The trail of a call: its raw events and commands, found by what they are and when they happened.

A `Ref` names one of them. At the end (`rows`) each one that something refers to is a row of its
own, and the others are folded into runs, as in the files of a recording.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import SendCallerAudio
from agent.conversation.events import ReplyAudio
from agent.conversation.persona import Persona
from telephony.call.commands import Command, MeasureCommand
from telephony.call.events import Event
from telephony.replay.recording import Step
from telephony.timeline.model import Raw, Side
from telephony.twilio.messages import Media

LONGEST_TEXT = 600
"""Of a raw event's JSON, so many characters are told; the recording has the rest."""

FOLDED = (Media, ReplyAudio, SendCallerAudio)
"""What comes many times a second."""


class Ref(NamedTuple):
    """One raw event or command: its step, and its place in that; the event is at place 0."""

    worker: int
    step: int
    place: int


class Held(NamedTuple):
    """A part of a call that one worker held.

    Args:
        opened_ms: When it opened the call, in ms since the first one did.
        steps: Its steps.
    """

    opened_ms: int
    steps: Sequence[Step]


class Trail:
    """All raw events and commands of a call, in order of time.

    Args:
        held: The parts that workers held, in order.
    """

    def __init__(self, held: Sequence[Held]) -> None:
        self._held = held
        self._by_kind: dict[type, list[tuple[int, Ref]]] = {}
        for worker, (opened_ms, steps) in enumerate(held):
            for number, step in enumerate(steps):
                for place, thing in enumerate((step.event, *step.commands)):
                    ref = Ref(worker, number, place)
                    self._by_kind.setdefault(type(thing), []).append((opened_ms + step.now_ms, ref))
        for found in self._by_kind.values():
            found.sort(key=lambda each: each[0])

    def nearest(self, ms: int, *kinds: type, worker: int | None = None) -> Ref | None:
        """Which one of these kinds happened closest to a time, on one worker or on any; None if
        there is none.
        """
        close = [
            each
            for kind in kinds
            for each in self._around(ms, kind)
            if worker is None or each[1].worker == worker
        ]
        return min(close, key=lambda each: abs(each[0] - ms), default=(0, None))[1]

    def before(self, ms: int, *kinds: type, worker: int) -> Ref | None:
        """Which one of these kinds happened last before a time on a worker; None if none did."""
        for kind in kinds:
            found = self._by_kind.get(kind, [])
            at = bisect_left(found, ms, key=lambda each: each[0])
            for _, ref in reversed(found[:at]):
                if ref.worker == worker:
                    return ref
        return None

    def all_of(self, *kinds: type) -> list[tuple[int, Ref]]:
        """All of these kinds, with their times."""
        found = [each for kind in kinds for each in self._by_kind.get(kind, ())]
        return sorted(found)

    def _around(self, ms: int, kind: type) -> Iterator[tuple[int, Ref]]:
        found = self._by_kind.get(kind, [])
        at = bisect_left(found, ms, key=lambda each: each[0])
        yield from found[max(0, at - 1) : at + 1]

    def rows(self, referred: Iterable[Ref]) -> tuple[tuple[Raw, ...], dict[Ref, int]]:
        """All rows, and the number of each that something refers to."""
        apart, runs = frozenset(referred), list[_Run]()
        for worker, (opened_ms, steps) in enumerate(self._held):
            open_runs: dict[object, _Run] = {}
            for number, step in enumerate(steps):
                now_ms = opened_ms + step.now_ms
                for place, thing in enumerate((step.event, *step.commands)):
                    if isinstance(thing, MeasureCommand):
                        continue  # it is in no recording: it follows from what is
                    ref, key = Ref(worker, number, place), _run_of(thing)
                    run = None if ref in apart else open_runs.get(key)
                    if run is None:
                        run = _Run(ref, thing, now_ms, now_ms, 0)
                        runs.append(run)
                    run.until_ms, run.count = now_ms, run.count + 1
                    side = place > 0
                    for other in [k for k in open_runs if isinstance(k, tuple) and k[1] is side]:
                        del open_runs[other]
                    if key is not None and ref not in apart:
                        open_runs[key] = run
        runs.sort(key=attrgetter("from_ms", "ref"))
        rows = tuple(run.row(n) for n, run in enumerate(runs))
        return rows, {run.ref: n for n, run in enumerate(runs) if run.ref in apart}


class _Run:
    def __init__(
        self, ref: Ref, first: Event | Command, from_ms: int, until_ms: int, count: int
    ) -> None:
        self.ref, self.first = ref, first
        self.from_ms, self.until_ms, self.count = from_ms, until_ms, count

    def row(self, n: int) -> Raw:
        side: Side = "event" if self.ref.place == 0 else "command"
        where = (self.from_ms, self.until_ms, self.ref.worker, self.ref.step)
        return Raw(n, *where, side, type(self.first).__name__, self.count, text_of(self.first))


def _run_of(thing: Event | Command) -> object:
    """What it can be folded with: others of the same kind and side; None if it cannot be."""
    if not isinstance(thing, FOLDED):
        return None
    return type(thing), isinstance(thing, SendCallerAudio)


def text_of(thing: Event | Command) -> str:
    """The fields of an event or command as JSON, without what is long, or opens a session."""
    told = {each.name: _short(each.name, getattr(thing, each.name)) for each in fields(thing)}
    try:
        text = msgspec.json.encode(told).decode()
    except UnicodeEncodeError:  # half a character, which UTF-8 cannot hold
        text = ascii(told)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _short(name: str, value: Any) -> Any:
    match value:
        case bytes():
            return f"({len(value)} bytes)"
        case Persona():
            return f"({value.name})"
        case Checkpoint():
            return "(a checkpoint)"
        case str() if name == "handle" and value:
            return "(a handle)"
        case _:
            return value
