"""A call that was placed is screened: the agent says who calls and why in time, and then waits."""

from dataclasses import replace

import pytest

from agent.persona.outbound import CALLS, GREETS
from telephony.call.events import CallOpened
from telephony.simulator.script import load
from telephony.simulator.world_file import parse
from tests.worlds.screened import ANSWER, ANSWER_MS, REPLY, file, screen
from tests.worlds.sdk import WireSdk


@pytest.mark.parametrize("seed", range(8))
def test_a_screening_service_hears_name_and_reason_within_6_s_and_then_nothing(seed: int) -> None:
    screened = screen(seed)
    assert 0 <= screened.begun_ms <= screened.whole_ms <= ANSWER_MS
    assert screened.waiting_ms == 0
    assert screened.replied


def test_the_shipped_telephone_that_screens_hears_name_and_reason_and_its_owner_a_reply() -> None:
    spec = replace(parse(file(seed=1, after_ms=0)), caller=load("screens"))
    world = spec.world(WireSdk())
    world.run(60_000)
    assert [utterance.name for _, utterance in world.phone.said] == ["screening", "speaking"]
    lines = [line.heard for line in world.store.lines if line.role == "agent"]
    assert lines == [ANSWER, REPLY]


def test_an_agent_of_a_world_that_has_placed_its_call_knows_that_it_calls() -> None:
    spec = parse("placed = true\n[caller]\n[[caller.steps]]\nafter_ms = 100\nhang_up = true")
    world = spec.world(WireSdk())
    world.run()
    opened = world.steps[0].event
    assert isinstance(opened, CallOpened)
    assert opened.persona.greeting_cue == GREETS
    assert opened.persona.instructions.endswith(CALLS)
