"""What is measured of a call is what its caller hears, and the same live and in a replay."""

from functools import cache

from telephony.call.figures import Heard
from telephony.call.measures import Measures
from telephony.replay.player import play
from telephony.simulator.world import World
from tests.worlds import judge, scenarios

ON_ITS_WAY_MS = 100
"""How long a frame of the caller's, or a mark, takes to the worker at most."""


@cache
def call() -> World:
    return scenarios.world(scenarios.questions("q1", "q2", "q3"), 1)


def live() -> Measures:
    measures = Measures()
    for step in call().steps:
        measures.step(step.event, step.at_ms, step.commands)
    return measures


def test_a_replay_of_the_same_events_has_the_same_figures() -> None:
    replayed = Measures()
    for step in play([(step.event, step.at_ms) for step in call().steps]).steps:
        replayed.step(step.event, step.now_ms, step.commands)
    assert replayed.figures == live().figures
    assert len(live().figures.ear_to_ear_ms) == 3


def test_an_answer_is_heard_when_the_caller_hears_it() -> None:
    measures, heard_ms = Measures(), []
    for step in call().steps:
        found = measures.step(step.event, step.at_ms, step.commands)
        ended_ms = measures.ended_ms
        heard_ms += [ended_ms + each.ear_to_ear_ms for each in found if isinstance(each, Heard)]
    true_ms = [reply.spans[0].at_ms for reply in judge.replies(call())[1:]]
    late_ms = [ours - theirs for ours, theirs in zip(heard_ms, true_ms, strict=True)]
    assert all(0 <= late <= ON_ITS_WAY_MS for late in late_ms), late_ms
