"""What the rules of worlds take for a second greeting, where the greeting sounds as other words.

A simulated model says words that are of no clip with the sound of the first clips. The first one is
`greeting`, so what it is told to say sounds as its greeting does.
"""

import pytest

from telephony.simulator.world import World
from telephony.simulator.world_file import parse
from telephony.simulator.world_spec import WorldSpec
from tests.worlds.cuts import step_to_cut
from tests.worlds.invariants import broken
from tests.worlds.sdk import WireSdk

SILENT = """
[persona]
silence_s = 3.0
still_there = "Are you still there?"
[caller]
[[caller.steps]]
wait = "agent"
after_ms = 5000
hang_up = true
[behaviour]
like = "brisk"
"""

TALKS_OVER = """
[persona]
silence_s = 3.0
still_there = "Are you still there?"
[caller]
[[caller.steps]]
wait = "agent"
[[caller.steps]]
barge_in_ms = 500
say = "q1"
[[caller.steps]]
wait = "agent"
hang_up = true
[behaviour]
like = "brisk"
"""

WAITS = """
[caller]
[[caller.steps]]
wait = "agent"
say = "order"
[[caller.steps]]
after_ms = 8000
hang_up = true
[[tools]]
name = "look_up"
takes_ms = 3500
[model]
[[model.turns]]
expect = "order"
call = { tool = "look_up", arguments = { } }
say = "a1"
[behaviour]
like = "brisk"
"""

GREETS_AGAIN = """
[caller]
[[caller.steps]]
after_ms = 8000
hang_up = true
[behaviour]
like = "brisk"
greets_anyway = true
[[faults]]
kind = "kill-worker"
"""


def lived(spec: WorldSpec, cut_after: int | None = None) -> World:
    world = spec.world(WireSdk(), cut_after=None if cut_after is None else cut_after.__eq__)
    world.run(60_000)
    return world


def lines(world: World) -> list[str]:
    return [line.heard for line in world.store.lines if line.role == "agent"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SILENT, "Are you still there?"),
        (TALKS_OVER, "Are you still"),
        (WAITS, "One moment, please."),
    ],
    ids=["a silent caller", "a caller who talks over it", "a caller who waits"],
)
def test_words_that_the_agent_was_told_to_say_are_no_greeting(file: str, said: str) -> None:
    spec = parse(file)
    world = lived(spec)
    assert said in lines(world)
    assert broken(world, spec) == []
    for seed in range(6):
        cut_after = step_to_cut(parse(f"seed = {seed}\n{file}"), world)
        assert broken(lived(spec, cut_after), spec) == [], cut_after


@pytest.mark.parametrize("at_ms", [1_200, 2_500])
def test_a_greeting_that_is_said_again_is_seen(at_ms: int) -> None:
    spec = parse(f"{GREETS_AGAIN}at_ms = {at_ms}\n")
    [wrong] = broken(lived(spec), spec)
    assert wrong.startswith("a second greeting, though ")
