"""A model that closes its turn while it still thinks, and says so, for as long as it takes."""

from dataclasses import replace

import pytest

from agent.conversation.commands import OpenModel, SayToModel
from agent.conversation.persona import DEFAULT_PERSONA
from telephony.call.commands import NO_REPLY, SendMedia
from telephony.simulator.script import Script
from telephony.simulator.world import World
from tests.worlds import judge, scenarios
from tests.worlds.sdk import WireSdk


@pytest.mark.parametrize("thinks_ms", [3_000, 8_000, 25_000])
def test_it_is_waited_for_in_one_session_and_asked_nothing(thinks_ms: int) -> None:
    caller = Script(
        tuple(scenarios.questions("q1", "q2", after_ms=1_000)), patience_ms=4 * thinks_ms + 8_000
    )
    behaviour = replace(scenarios.ROW, in_progress_ms=thinks_ms)
    world = World(caller, scenarios.model(1, behaviour), WireSdk(), seed=1)
    world.run()
    heard = [(reply.name, reply.cut) for reply in judge.replies(world)]
    assert heard == [(scenarios.GREETING, False), ("a1", False), ("a2", False)]
    commands = [command for step in world.steps for command in step.commands]
    assert len([command for command in commands if isinstance(command, OpenModel)]) == 1
    said = [command.text for command in commands if isinstance(command, SayToModel)]
    assert said == [DEFAULT_PERSONA.greeting_cue]
    notes = [c for c in commands if isinstance(c, SendMedia) and c.reply == NO_REPLY]
    assert len(notes) >= 3 * (thinks_ms // 4_000)
