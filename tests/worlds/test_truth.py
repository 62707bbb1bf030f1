"""What the caller was owed at an instant goes by what had happened by then."""

import pytest

from agent.conversation.events import SessionLost
from agent.simulator.faults import Freeze, Reset
from telephony.simulator.script import Script
from telephony.simulator.world import World
from telephony.simulator.world_faults import WorldFault
from tests.worlds import judge, scenarios
from tests.worlds.sdk import WireSdk
from tests.worlds.truth import Truth

LATE_MS = 60
"""What is lost at a time is known here so much later."""


def call(*faults: tuple[int, WorldFault]) -> World:
    """A question whose answer is long, of a caller who waits for more of it."""
    caller = Script(tuple(scenarios.questions("repeat")), quiet_ms=4_000)
    world = World(caller, scenarios.model(3, scenarios.ROW), WireSdk(), seed=3)
    for at_ms, fault in faults:
        world.at(at_ms, fault)
    world.run()
    return world


@pytest.fixture(scope="module")
def answer() -> judge.Reply:
    """That answer, in the call in which nothing goes wrong."""
    return next(reply for reply in judge.replies(call()) if reply.name == "times")


def test_nothing_is_owed_while_an_answer_is_heard_that_is_broken_off_later(
    answer: judge.Reply,
) -> None:
    lost_ms = answer.spans[0].at_ms + 1_500
    world = call((lost_ms, Reset()))
    assert any(isinstance(step.event, SessionLost) for step in world.steps)
    broken_off = next(reply for reply in judge.replies(world) if reply.name == "times")
    begins_ms, ends_ms = broken_off.spans[0].at_ms, broken_off.spans[-1].ends_ms
    truth = Truth(world)
    assert not any(map(truth.owed, range(begins_ms + 100, lost_ms, 100)))
    assert all(map(truth.owed, range(lost_ms + LATE_MS, ends_ms, 100))), "the rest of it"


def test_the_rest_of_an_answer_that_stops_is_owed_though_it_comes_later(
    answer: judge.Reply,
) -> None:
    world = call((answer.spans[0].at_ms + 200, Freeze(2_500)))
    stopped = next(reply for reply in judge.replies(world) if reply.name == "times")
    assert stopped.gaps
    ends_ms = stopped.spans[0].ends_ms
    truth = Truth(world)
    assert not truth.owed(ends_ms - LATE_MS)
    assert truth.owed(ends_ms + LATE_MS)
