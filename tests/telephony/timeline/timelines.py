"""The timelines of the recorded calls, and what tests ask of them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from telephony.replay.reader import read
from telephony.timeline.files import read_recordings
from telephony.timeline.model import CallTimeline, Figure, Kind, Raw, Sound, Span

CALLS = Path(__file__).parents[3] / "fixtures/calls"
ALL = sorted(path.stem for path in CALLS.glob("*.call"))


@cache
def read_calls(*names: str) -> tuple[CallTimeline, Sound]:
    """The timeline and the sound of one call, by the names of its recordings."""
    return read_recordings([read(CALLS / f"{name}.call") for name in names])


def timeline(*names: str) -> CallTimeline:
    """The timeline of one call, by the names of its recordings."""
    return read_calls(*names)[0]


def rows_of(call: CallTimeline, span: Span) -> list[Raw]:
    """The raw events that a span comes from."""
    return [call.raw[n] for n in span.raw]


def figures(call: CallTimeline, kind: Kind) -> Iterator[tuple[Figure, Span]]:
    """All figures of a kind, each with its span."""
    for figure in call.figures:
        if figure.kind == kind:
            yield figure, call.spans[figure.span]


def said(call: CallTimeline, turn: int, kind: Kind) -> list[Span]:
    """The words of a turn that were heard (`word`), or were not (`unheard`)."""
    return [span for span in call.spans if span.turn == turn and span.kind == kind]
