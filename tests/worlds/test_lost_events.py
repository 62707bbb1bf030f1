"""Something that Twilio or Gemini should have told never comes."""

import pytest

from agent.conversation.events import GenerationComplete, Interrupted, TurnComplete
from agent.simulator.behaviour import EXACT
from telephony.call.events import Event
from telephony.simulator.world_faults import DropNext, WorldFault
from telephony.twilio.messages import Mark
from tests.worlds import judge, scenarios


@pytest.mark.parametrize("lost", [Mark, GenerationComplete, TurnComplete])
def test_the_conversation_goes_on_though_one_event_is_lost(lost: type[Event]) -> None:
    faults: list[tuple[int, WorldFault]] = [(at_ms, DropNext(lost)) for at_ms in (1_500, 9_000)]
    world = scenarios.world(scenarios.questions("q1", "q2"), 0, EXACT, *faults)
    assert [r.name for r in judge.replies(world)] == [scenarios.GREETING, "a1", "a2"]
    assert not any(reply.cut for reply in judge.replies(world))
    assert [line.role for line in world.store.lines] == ["agent", *(["caller", "agent"] * 2)]
    assert world.worker.drops == []


def test_a_barge_in_of_which_interrupted_is_lost_is_still_one_clear() -> None:
    steps = scenarios.barge_ins(2, 1)  # while all of the greeting waits to be heard
    world = scenarios.world(steps, 2, EXACT, (0, DropNext(Interrupted)))
    assert world.worker.drops == []
    assert [reply.clears for reply in judge.replies(world)] == [1, 0]
    assert [reply.cut for reply in judge.replies(world)] == [True, False]
