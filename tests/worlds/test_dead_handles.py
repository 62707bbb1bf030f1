"""Every resumed session is set up and dies at once; a fresh one would work."""

from dataclasses import replace
from random import Random

import pytest

from agent.conversation.commands import OpenModel
from agent.conversation.events import SessionLost
from agent.gemini.breaker import Breaker
from agent.simulator.faults import Close, Reset
from agent.simulator.voice import clip
from telephony.simulator.script import Script
from telephony.simulator.world import World
from tests.worlds import judge, scenarios
from tests.worlds.sdk import WireSdk

ASKED = ("q1", "q2", "q3")
ANSWER_LATER_MS = 2_000


def call(end: Close | None, fault_ms: int | None = None) -> tuple[World, Breaker]:
    breaker = Breaker()
    world = World(
        Script(tuple(scenarios.questions(*ASKED, after_ms=1_000))),
        scenarios.model(1, replace(scenarios.ROW, resumed_end=end)),
        WireSdk(),
        seed=1,
        breaker=breaker,
    )
    if fault_ms is not None:
        world.at(fault_ms, Reset())
    world.run()
    return world, breaker


@pytest.mark.parametrize("code", [1007, 1008, 1011])
@pytest.mark.parametrize("moment", ["utterance", "thinking"])
def test_the_handle_is_left_after_its_first_death_and_the_answer_comes(
    code: int, moment: str
) -> None:
    uncut, _ = call(None)
    said_ms, question = uncut.phone.said[1]
    at_ms = said_ms + question.duration_ms // 2
    if moment == "thinking":
        at_ms = said_ms + int(clip("caller/q2").duration_ms) + Random(code).randint(100, 900)
    world, breaker = call(Close(code, "Internal error encountered."), at_ms)
    dials = [c for s in world.steps for c in s.commands if isinstance(c, OpenModel)]
    assert [bool(dial.handle) for dial in dials] == [False, True, False]
    replies = judge.replies(world)
    assert [r.name for r in replies if not r.cut] == [
        scenarios.GREETING, *(scenarios.ANSWERS[name] for name in ASKED)
    ]  # fmt: skip
    died_ms = [s.at_ms for s in world.steps if isinstance(s.event, SessionLost)][-1]
    finished_ms = max(died_ms, said_ms + question.duration_ms)
    answered_ms = next(r.spans[0].at_ms for r in replies if r.name == scenarios.ANSWERS["q2"])
    assert answered_ms - finished_ms <= ANSWER_LATER_MS
    assert breaker.openings == 0
    assert world.store.complaints == []
