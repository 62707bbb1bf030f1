"""Row 30: the caller's media comes up to 400 ms late, out of order, and 5 % of it not at all.

What the model is given has to keep the caller's time: a call of half an hour must not become one of
28 minutes.
"""

from collections.abc import Sequence
from random import Random

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, ULAW_SILENCE
from telephony.call.uplink import MODEL_IN_BYTES_PER_MS, Uplink
from tests.faults.table import Figure, Row, at_most, scaled

MINUTES = 30
LATE_MS = 400
LOST = 0.05
QUIET = ULAW_SILENCE * FRAME_SAMPLES
LOUD = bytes(FRAME_SAMPLES)
"""What the call hands on at once, with all that it had gathered."""


def measure(share: float) -> Sequence[Figure]:
    """A caller's media, given to a call as it comes."""
    length_ms = scaled(MINUTES, share) * 60_000
    in_order = [(ms + FRAME_MS, ms) for ms in range(0, length_ms, FRAME_MS)]
    arrivals = _arrivals(length_ms, Random(1))
    drift_ms = abs(_given_ms(arrivals) - _given_ms(in_order))
    return [
        Figure("minutes", length_ms / 60_000, None),
        Figure("frames lost", len(in_order) - len(arrivals), None),
        Figure("drift of what the model is given", drift_ms, at_most(20), "ms"),
    ]


def _given_ms(arrivals: Sequence[tuple[int, int]]) -> float:
    uplink = Uplink()
    uplink.started(0)
    held = uplink.resume(0)
    given = list(held.chunks)
    last_ms = arrivals[-1][1]
    for at_ms, frame_ms in arrivals:
        while (due_ms := uplink.deadline_ms()) is not None and due_ms < at_ms:
            given += uplink.fill(due_ms)
        given += uplink.push(LOUD if frame_ms == last_ms else QUIET, frame_ms, at_ms)
    return sum(map(len, given)) / MODEL_IN_BYTES_PER_MS


def _arrivals(length_ms: int, random: Random) -> list[tuple[int, int]]:
    """When each frame comes, and when it was said; the last ones come in time."""
    frames = range(0, length_ms, FRAME_MS)
    kept = [ms for ms in frames if ms >= length_ms - LATE_MS or random.random() >= LOST]
    return sorted((ms + FRAME_MS + _late_ms(ms, length_ms, random), ms) for ms in kept)


def _late_ms(frame_ms: int, length_ms: int, random: Random) -> int:
    return 0 if frame_ms >= length_ms - LATE_MS else random.randint(0, LATE_MS)


ROWS = (Row(30, "media late by up to 400 ms, out of order, 5 % lost", measure, virtual=True),)
