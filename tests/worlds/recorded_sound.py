"""Compares the sound of a recorded world with what its caller really said and heard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.replay.as_heard import Heard
from telephony.replay.mixdown import streams
from telephony.replay.recording import Step
from telephony.replay.stream_clock import Said
from telephony.simulator.ear import is_loud
from telephony.simulator.world import World

NEAR = 200 * PHONE_SAMPLES_PER_MS
"""A piece is looked for so far from where it should be; farther off, it counts as lost. After a
hold the same sound may be heard again before long, and is another piece."""

ON_THE_WAY = 3 * FRAME_SAMPLES
"""What a caller says last does not reach a worker whose stream is lost then."""

type Pieces = Sequence[Said] | Sequence[Heard]


@dataclass(slots=True)
class Compared:
    """How a recording's sound differs from what its caller heard and said.

    Args:
        caller_ms: How much later each piece of the caller is than it was said, in order. The way
            to the worker is a part of that: about 40 ms.
        agent_ms: The same for each run of the agent's audio.
        lost_frames: Frames with a sound that were said or heard, and are not in it.
        unheard_frames: Frames with a sound of the agent in it that nobody heard.
    """

    caller_ms: list[float] = field(default_factory=list)
    agent_ms: list[float] = field(default_factory=list)
    lost_frames: int = 0
    unheard_frames: int = 0

    @property
    def apart_ms(self) -> float:
        """How far the sides are apart at most, beyond what they were at the scene itself."""
        pairs = [*self.caller_ms, *self.agent_ms]
        return max(pairs) - min(pairs)

    @property
    def apart_at_end_ms(self) -> float:
        """How far the last sounds of both sides are apart."""
        return abs(self.caller_ms[-1] - self.agent_ms[-1])


def workers_of(world: World) -> list[tuple[int, list[Step]]]:
    """The steps of each worker in its own time, as `mixdown` takes them."""
    first_ms = world.steps[0].at_ms
    found = []
    for worker in world.workers:
        steps = [step for step in world.steps if step.worker == worker.number]
        if steps:
            opened_ms = steps[0].at_ms
            own = [Step(s.event, s.at_ms - opened_ms, s.commands) for s in steps]
            found.append((opened_ms - first_ms, own))
    return found


def compare(world: World, workers: Sequence[tuple[int, Sequence[Step]]] | None = None) -> Compared:
    """Compare the sound of a world's recording, or of another one of it, with the scene."""
    compared = Compared()
    first_ms = world.steps[0].at_ms
    for placed in streams(workers or workers_of(world)):
        line = next(line for line in world.phone.lines if line.stream_sid == placed.stream_sid)
        began = placed.begins - (line.media_start_ms - first_ms) * PHONE_SAMPLES_PER_MS
        said = bytes(line.said[: len(line.said) - ON_THE_WAY])
        _compare(compared, compared.caller_ms, placed.said, said, began)
        _compare(compared, compared.agent_ms, placed.heard, bytes(line.heard), began)
    return compared


def _compare(
    compared: Compared, late_ms: list[float], pieces: Pieces, side: bytes, began: int
) -> None:
    covered = bytearray(len(side))
    for want, at, length in _found(pieces, side, began):
        if at is None:
            compared.unheard_frames += 1
        else:
            late_ms.append((want - at) / PHONE_SAMPLES_PER_MS)
            covered[at : at + length] = b"\1" * length
    missing = np.where(_array(covered), np.uint8(0xFF), _array(side)).tobytes()
    compared.lost_frames += _loud_frames(missing)


def _found(pieces: Pieces, heard: bytes, began: int) -> Iterator[tuple[int, int | None, int]]:
    """Where each run of bytes is, where it was heard, and its length."""
    cursor = 0
    for piece in pieces:
        done = 0
        while done < len(piece.ulaw):
            frame = piece.ulaw[done : done + FRAME_SAMPLES]
            want = began + piece.at + done
            if not is_loud(frame):
                done += FRAME_SAMPLES
                continue
            at = _nearest(heard, frame, want, cursor)
            length = len(frame)
            if at is not None:
                length = _same(piece.ulaw[done:], heard[at:])
                cursor = at + length
            yield want, at, length
            done += length


def _nearest(heard: bytes, frame: bytes, want: int, cursor: int) -> int | None:
    at = heard.find(frame, max(cursor, want - NEAR), want + NEAR)
    found = []
    while at >= 0:
        found.append(at)
        at = heard.find(frame, at + 1, want + NEAR)
    return min(found, key=lambda each: abs(each - want), default=None)


def _same(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    least = min(len(one), len(other))
    differ = np.flatnonzero(_array(one)[:least] != _array(other)[:least])
    return int(differ[0]) if len(differ) else least


def _array(side: bytes | bytearray) -> NDArray[np.uint8]:
    return np.frombuffer(side, np.uint8)


def _loud_frames(ulaw: bytes) -> int:
    frames = range(0, len(ulaw) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    return sum(is_loud(ulaw[at : at + FRAME_SAMPLES]) for at in frames)
