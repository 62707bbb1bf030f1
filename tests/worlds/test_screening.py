"""A call that was placed is screened: the agent says who calls and why in time, and then waits."""

import pytest

from agent.persona.outbound import CALLS, GREETS
from telephony.call.events import CallOpened
from telephony.simulator.world_file import parse
from tests.worlds.screened import ANSWER_MS, screen
from tests.worlds.sdk import WireSdk


@pytest.mark.parametrize("seed", range(8))
def test_a_screening_service_hears_name_and_reason_within_6_s_and_then_nothing(seed: int) -> None:
    screened = screen(seed)
    assert 0 <= screened.begun_ms <= screened.whole_ms <= ANSWER_MS
    assert screened.waiting_ms == 0
    assert screened.replied


def test_an_agent_of_a_world_that_has_placed_its_call_knows_that_it_calls() -> None:
    spec = parse("placed = true\n[caller]\n[[caller.steps]]\nafter_ms = 100\nhang_up = true")
    world = spec.world(WireSdk())
    world.run()
    opened = world.steps[0].event
    assert isinstance(opened, CallOpened)
    assert opened.persona.greeting_cue == GREETS
    assert opened.persona.instructions.endswith(CALLS)
