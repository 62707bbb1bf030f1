"""The caller speaks from the first moment, and Gemini is not there yet."""

import pytest

from agent.simulator.behaviour import EXACT
from agent.simulator.faults import RefuseConnect, SlowSetup
from telephony.simulator.script import HangUp, Step
from telephony.simulator.world_faults import WorldFault
from tests.worlds import judge, scenarios
from tests.worlds.unheard import unheard_speech_ms

LATE: dict[str, WorldFault] = {
    "a connect that takes 3 s": SlowSetup(3_000),
    "a connect that is refused once": RefuseConnect(503),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fault", LATE.values(), ids=LATE.keys())
def test_no_first_word_is_lost(fault: WorldFault, seed: int) -> None:
    steps = [
        Step(deed=scenarios.say("q1")),
        Step(wait_for_agent=True, after_ms=300, deed=scenarios.say("q2")),
        Step(wait_for_agent=True, after_ms=300, deed=HangUp()),
    ]
    world = scenarios.world(steps, seed, EXACT, (0, fault))
    assert unheard_speech_ms(world) == 0
    assert judge.coverage(world, "q1") == 1.0
    assert judge.replies(world)[-1].name == scenarios.ANSWERS["q2"]
