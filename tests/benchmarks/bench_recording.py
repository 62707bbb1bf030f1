"""The sound of a recorded call of half an hour, beside what its caller said and heard: 40
barge-ins, two lost streams, a notice of Gemini's, and clocks that differ. Lived in virtual time.

    python tests/benchmarks/bench_recording.py

Figures only: a short version is judged by tests/telephony/replay/test_mixdown.py.
"""
# ruff: noqa: T201 -- printing is what this script is for

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported, so before it
sys.path.insert(0, str(Path(__file__).parents[2]))  # the worlds are shared with the tests

import numpy as np
from numpy.typing import NDArray

from agent.simulator.behaviour import BRISK
from agent.simulator.faults import GoAway
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import decode
from telephony.replay.mixdown import mixdown, streams
from telephony.replay.recording import Step as Recorded
from telephony.simulator.script import HangUp, Script, Step
from telephony.simulator.world import World
from telephony.simulator.world_faults import LoseStream
from tests.worlds import judge, scenarios
from tests.worlds.recorded_sound import compare, workers_of
from tests.worlds.sdk import WireSdk

BARGE_INS = 40
MINUTES = 30
DRIFT = 1.0001
"""Ten times what clocks of computers differ by: 180 ms in half an hour."""

ASKS_AFTER_MS = 36_000

JUDGED = 12
"""How many replies PESQ judges; each takes it half a second."""


def main() -> None:
    """Print one table: figure, measured, demanded."""
    world = lived()
    print(f"{world.now_ms / 60_000:.1f} min, {len(world.phone.lines)} streams, ", end="")
    clears = sum(len(line.clears) for line in world.phone.lines)
    sessions = sum(link.session is not None for link in world.links)
    print(f"{clears} clears, {sessions} sessions")
    for name, factor in (("one clock", 1.0), ("Twilio's clock 100 ppm slower", DRIFT)):
        workers = [
            (at, [each._replace(now_ms=round(each.now_ms * factor)) for each in steps])
            for at, steps in workers_of(world)
        ]
        compared = compare(world, workers)
        print(f"\n{name:34}{'measured':>10}{'demanded':>10}")
        row("sides apart, at the end, ms", compared.apart_at_end_ms, "≤ 20")
        row("frames said or heard, not in it", compared.lost_frames, "0")
        row("frames in it that nobody heard", compared.unheard_frames, "")
        if factor == 1:
            row("either side moved, at most, ms", compared.apart_ms, "≤ 20")
            row("behind the scene, at the end, ms", compared.agent_ms[-1], "(one way)")
            quality(world, workers)


def lived() -> World:
    """Half an hour with a question every 30 s, whose answer is talked over."""
    rng = Random(1)
    steps = []
    for _ in range(BARGE_INS):
        asks, over = rng.sample(scenarios.QUESTIONS, 2)
        steps.append(Step(wait_for_agent=True, after_ms=ASKS_AFTER_MS, deed=scenarios.say(asks)))
        steps.append(Step(barge_in_ms=rng.randint(100, 2_500), deed=scenarios.say(over)))
    steps.append(Step(wait_for_agent=True, after_ms=5_000, deed=HangUp()))
    world = World(Script(tuple(steps)), scenarios.model(1, BRISK), WireSdk(), seed=1)
    for at_ms in (7 * 60_000, 19 * 60_000):
        world.at(at_ms, LoseStream())
    world.at(12 * 60_000, GoAway(50_000))
    world.run(2 * MINUTES * 60_000)
    return world


def quality(world: World, workers: Sequence[tuple[int, Sequence[Recorded]]]) -> None:
    """PESQ of the longest replies, at the caller's ear and in the recording, against the clip."""
    if find_spec("pesq") is None:
        print("PESQ is not installed: quality is not judged")
        return
    from pesq import pesq  # noqa: PLC0415 - few machines have it

    agent = mixdown(workers).agent
    judged = []
    for placed in streams(workers):
        line = next(line for line in world.phone.lines if line.stream_sid == placed.stream_sid)
        for piece in sorted(placed.heard, key=lambda each: -len(each.ulaw))[:JUDGED]:
            at = bytes(line.heard).find(piece.ulaw)
            name, begins = judge.clips_of(piece.ulaw)[0]
            clip = judge.spoken(name)[begins : begins + len(piece.ulaw)]
            start = placed.begins + piece.at
            recorded = agent[start : start + len(piece.ulaw)].astype("<i2")
            ear = samples(decode(bytes(line.heard[at : at + len(piece.ulaw)])))
            both = [pesq(PHONE_RATE_HZ, samples(decode(clip)), x, "nb") for x in (ear, recorded)]
            judged.append((at, *both))
    there = [score for at, *score in judged if at >= 0][:JUDGED]
    row("replies judged", len(there), f"{JUDGED}")
    row("PESQ at the caller's ear", sum(ear for ear, _ in there) / len(there), "")
    row("PESQ in the recording", sum(rec for _, rec in there) / len(there), "the same")


def samples(pcm: bytes) -> NDArray[np.int16]:
    """PCM16 as an array."""
    return np.frombuffer(pcm, "<i2")


def row(what: str, measured: float, demanded: str) -> None:
    """One line of a table."""
    print(f"{what:34}{measured:>10.4g}{demanded:>10}")


if __name__ == "__main__":
    main()
