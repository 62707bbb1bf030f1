"""A cough holds the reply: no word of it is lost, and no more than the broken one is said twice.
What was cut is not heard again.
"""

from dataclasses import replace

import pytest

from agent.conversation.reply import BACK_MS
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.simulator.drawn import draw
from telephony.simulator.world import World
from telephony.simulator.world_agent import WorldBargeIn
from telephony.simulator.world_file import load
from tests.replay.make import CALLS
from tests.worlds import cuts, judge
from tests.worlds.invariants import broken
from tests.worlds.sdk import WireSdk

COUGH = CALLS / "cough.call" / "world.toml"

ON_THE_WAY_MS = 150
"""Twilio plays on until the clear reaches it."""


def call(cough_ms: int, seed: int) -> World:
    """The recorded call, with both coughs at another time of their replies."""
    spec = load(COUGH)
    steps = tuple(
        step if step.barge_in_ms is None else replace(step, barge_in_ms=cough_ms)
        for step in spec.caller.steps
    )
    caller = replace(spec.caller, steps=steps)
    world = replace(spec, caller=caller, seed=seed).world(WireSdk())
    world.run(60_000)
    return world


@pytest.mark.parametrize(("cough_ms", "seed"), [(250, 1), (1_100, 2), (1_900, 3)])
def test_a_reply_is_heard_whole_around_a_cough(cough_ms: int, seed: int) -> None:
    world = call(cough_ms, seed)
    [line] = world.phone.lines
    assert len(line.clears) == 2
    heard, most = bytes(line.heard), (BACK_MS + ON_THE_WAY_MS) * PHONE_SAMPLES_PER_MS
    for name in ("greeting", "a1"):
        sound = judge.spoken(name)
        begins = heard.index(sound[: 10 * FRAME_SAMPLES])
        before = _alike(heard[begins:], sound)
        ends = heard.index(sound[-10 * FRAME_SAMPLES :]) + 10 * FRAME_SAMPLES
        after = _alike(heard[:ends][::-1], sound[::-1])
        assert 0 <= before + after - len(sound) <= most
    assert [line.heard for line in world.store.lines] == [line.text for line in world.store.lines]


@pytest.mark.parametrize("seed", [3, 5, 31, 334])
def test_what_holds_for_every_call_holds_where_replies_may_be_held(seed: int) -> None:
    spec = replace(draw(seed), barge_in=WorldBargeIn("quick"))
    assert broken(cuts.lived(spec), spec) == []


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes are the same from the beginning."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
