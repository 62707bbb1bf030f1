"""Makes the timeline of a call from the events that its workers recorded."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.conversation.meter import NANO
from telephony.audio import g711
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import EndCall
from telephony.replay.mixdown import Sides, mixed, streams
from telephony.timeline.draft import Drafts
from telephony.timeline.ear import Ear, pieces
from telephony.timeline.lived import Events, Lived, live
from telephony.timeline.measured import Measured
from telephony.timeline.model import About, CallTimeline, Peaks, Sound, Turn
from telephony.timeline.said import Sayings, Spoken
from telephony.timeline.trail import Ref, Trail
from telephony.timeline.wire import Wire

PEAKS_MS = 10
"""For so much sound there is one bar at the most detailed level."""


def read_call(workers: Iterable[Events], *, name: str, why: str = "") -> tuple[CallTimeline, Sound]:
    """Make a call's timeline.

    Args:
        workers: The events of each worker that held the call, in any order.
        name: What the page calls it.
        why: Why the recording is kept, for a fixture.

    Raises:
        ValueError: A worker's events do not begin with `CallOpened`.
    """
    return timeline_of(live(workers), name=name, why=why)


def timeline_of(lived: Sequence[Lived], *, name: str, why: str = "") -> tuple[CallTimeline, Sound]:
    """The same of a call that was played again already (`lived.live`)."""
    trail = Trail([each.held for each in lived])
    placed = list(streams([(each.opened_ms, each.steps) for each in lived]))
    drafts = Drafts()
    wire = Wire(drafts)
    spoken = Sayings(lived, trail, Ear(list(pieces(lived, placed)))).draw(drafts)
    for worker, each in enumerate(lived):
        wire.draw(worker, each)
        Measured(worker, each, trail, drafts).draw()
    rows, numbers = trail.rows(drafts.refs | {ref for turn in spoken for ref in turn.refs})
    spans, figures = drafts.done(numbers)
    sides = mixed(placed)
    about = _about(lived, name, why, len(sides.caller) // PHONE_SAMPLES_PER_MS)
    turns = tuple(_turn(each, numbers) for each in spoken)
    timeline = CallTimeline(about, turns, spans, figures, _peaks(sides, about.duration_ms), rows)
    return timeline, Sound(_ulaw(sides.caller), _ulaw(sides.agent))


def _about(lived: Sequence[Lived], name: str, why: str, sound_ms: int) -> About:
    first, last = lived[0], lived[-1]
    ended = [c for step in last.steps[-1:] for c in step.commands if isinstance(c, EndCall)]
    cost = ended[0].cost if ended else None
    over_ms = max(
        (each.opened_ms + each.steps[-1].now_ms for each in lived if each.steps), default=0
    )
    return About(
        name=name,
        call_sid=first.opened.call_sid,
        persona=first.opened.persona.name,
        began_ms=first.opened.wall_time_ms,
        duration_ms=max(over_ms, sound_ms),
        ended_reason=str(ended[0].reason) if ended else "",
        usd=None if cost is None else cost / NANO,
        why=why,
        workers=len(lived),
    )


def _turn(spoken: Spoken, numbers: dict[Ref, int]) -> Turn:
    line, times = spoken.line, (round(spoken.from_ms), round(spoken.until_ms))
    raw = tuple(sorted({numbers[ref] for ref in spoken.refs}))
    return Turn(line.n, spoken.role, *times, line.text, line.heard, raw)


def _peaks(sides: Sides, duration_ms: int) -> Peaks:
    bars = -(-duration_ms // PEAKS_MS)
    return Peaks(PEAKS_MS, _bars(sides.caller, bars), _bars(sides.agent, bars))


def _bars(side: NDArray[np.int16], bars: int) -> bytes:
    each = PEAKS_MS * PHONE_SAMPLES_PER_MS
    padded = np.zeros(bars * each, np.int32)
    padded[: len(side)] = side
    loudest = np.abs(padded).reshape(bars, each).max(axis=1)
    return bytes(np.minimum(loudest // 128, 255).astype(np.uint8))


def _ulaw(side: NDArray[np.int16]) -> bytes:
    return g711.encode(side.astype("<i2").tobytes())
