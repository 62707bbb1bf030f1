"""The sound of a recorded call: what its caller said and heard, where it was said and heard."""

from functools import cache

import numpy as np
import pytest

from telephony.audio.g711 import encode
from telephony.call.commands import SendMark, SendMedia
from telephony.call.events import StreamEnded, StreamStarted
from telephony.replay.mixdown import mixdown
from telephony.replay.recording import Step
from telephony.simulator.world import World
from telephony.twilio.messages import Mark, Media
from tests.replay import make
from tests.worlds.recorded_sound import compare, workers_of

EXACT = (
    "cough",  # a hold, and the same reply gone on with
    "stream-back-barge-in",  # a reply gone on with on another stream
    "worker-killed-in-answer",  # and on another worker
)


@cache
def lived(name: str) -> World:
    return make.lived(make.CALLS / f"{name}.call" / make.WORLD_FILE)


@pytest.mark.parametrize("name", EXACT)
def test_both_sides_are_where_they_were_heard(name: str) -> None:
    world = lived(name)
    compared = compare(world)
    clears = sum(len(line.clears) for line in world.phone.lines)
    assert compared.apart_ms <= 1
    assert compared.lost_frames <= 1  # one that had just begun when a clear came
    # Each clear may take effect a frame sooner than is reckoned.
    assert compared.unheard_frames <= max(1, clears)


@pytest.mark.parametrize(
    ("name", "apart_ms"),
    [
        ("lost-frames", 2),
        ("activity-while-generating", 4),  # Twilio has nothing to play between some messages
    ],
)
def test_a_line_with_faults_costs_less_than_a_frame(name: str, apart_ms: int) -> None:
    assert compare(lived(name)).apart_ms <= apart_ms


def test_the_sides_do_not_drift_apart_where_clocks_differ() -> None:
    world = lived("monologue")
    slow = [
        (opened_ms, [step._replace(now_ms=round(step.now_ms * 1.03)) for step in steps])
        for opened_ms, steps in workers_of(world)
    ]
    compared = compare(world, slow)
    assert world.now_ms * 0.03 > 300
    assert compared.apart_at_end_ms <= 20
    assert (compared.lost_frames, compared.unheard_frames) == (0, 0)


def test_no_piece_hides_another_if_timestamps_make_no_sense() -> None:
    pieces = [encode(bytes([n, n]) * 160) for n in range(40, 60)]
    stamps = [0, 20, 9_000_000, 5, 5, 5, 5, 120, 40, 20, *range(0, 2_000, 200)]
    events = [Media("MZ1", piece, at) for piece, at in zip(pieces, stamps, strict=True)]
    steps = [Step(StreamStarted("MZ1", 1), 0, [])]
    steps += [Step(event, 20 * n, []) for n, event in enumerate(events, 1)]
    sound = encode(mixdown([(0, steps)]).caller.tobytes())
    assert all(piece in sound for piece in pieces)
    assert len(sound) < 8 * 3_000


def test_there_is_silence_between_two_streams_for_as_long_as_it_lasted() -> None:
    loud = encode(b"\x10\x27" * 160)
    steps = [
        Step(StreamStarted("MZ1", 1), 100, []),
        Step(Media("MZ1", loud, 0), 100, [SendMedia("MZ1", 1, loud), SendMark("MZ1", "r1")]),
        Step(Mark("MZ1", "r1"), 160, []),
        Step(StreamEnded("MZ1", "broken"), 200, []),
        Step(StreamStarted("MZ2", 2), 1_000, []),
        Step(Media("MZ2", loud, 0), 1_100, []),
    ]
    sides = mixdown([(0, steps), (2_000, [steps[0], steps[1]])])
    assert [int(at) for at in np.flatnonzero(np.diff(sides.caller)) // 8] == [
        *(99, 119, 1_099, 1_119),
        *(2_099,),
    ]
    assert [int(at) for at in np.flatnonzero(np.diff(sides.agent)) // 8][:2] == [139, 159]
    assert len(sides.caller) == len(sides.agent)
    part = sides.between(90, 110)
    assert (len(part.caller), int(np.count_nonzero(part.caller))) == (160, 80)
