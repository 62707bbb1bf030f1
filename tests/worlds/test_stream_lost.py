"""Twilio's socket is lost in the middle of a reply, and comes back to the same worker."""

from functools import cache
from random import Random

import pytest

from agent.simulator.behaviour import EXACT
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.world import World
from telephony.simulator.world_faults import LoseStream
from tests.worlds import judge, scenarios

FIRST_MARK_MS = 400
"""By then the first mark of a reply, 260 ms after its beginning, has come back."""

UNCERTAIN_MS = (-10, 30)
"""Of a mark: the way of its echo and that of the news of the loss differ by 10, and the frame that
sounds counts as heard."""


@cache
def lose(seed: int, first_ms: int, last_ms: int) -> World:
    steps = scenarios.questions("q1", "repeat")
    uncut = scenarios.world(steps, seed)
    began_ms = next(r for r in judge.replies(uncut) if r.name == "times").spans[0].at_ms
    at_ms = began_ms + Random(seed).randint(first_ms, last_ms)
    return scenarios.world(steps, seed, EXACT, (at_ms, LoseStream()))


def repeated_ms(world: World) -> float:
    """How much of the reply was heard on both streams; less than 0 if some was on none."""
    before, after = (reply for reply in judge.replies(world) if reply.name == "times")
    return (before.heard_samples - after.begins) / PHONE_SAMPLES_PER_MS


@pytest.mark.parametrize("seed", range(6))
def test_a_reply_goes_on_where_the_caller_stopped_hearing_it(seed: int) -> None:
    world = lose(seed, FIRST_MARK_MS, 11_000)
    least_ms, most_ms = UNCERTAIN_MS
    assert least_ms <= repeated_ms(world) <= most_ms
    replies = judge.replies(world)
    assert [r.name for r in replies] == [scenarios.GREETING, "a1", "times", "times"]
    assert [r.gaps for r in replies] == [0] * 4
    assert [r.cut for r in replies] == [False, False, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_a_reply_of_which_no_mark_has_come_back_is_said_from_its_beginning(seed: int) -> None:
    world = lose(seed, 0, FIRST_MARK_MS // 2)
    assert [r.begins for r in judge.replies(world) if r.name == "times"] == [0, 0]


def test_nothing_is_said_or_stored_twice() -> None:
    world = lose(0, FIRST_MARK_MS, 11_000)
    assert world.store.complaints == []
    assert [line.role for line in world.store.lines] == ["agent", *(["caller", "agent"] * 2)]
    assert [line.heard for line in world.store.lines] == [line.text for line in world.store.lines]
    assert len(world.links) == 1  # the session was parked, and is the same
