"""A caller who thinks for seconds in the middle of a turn is left alone until the turn is over."""

from dataclasses import replace

import pytest

from agent.conversation.commands import CloseModel, EndCallerAudio, OpenModel, SayToModel
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.turn_taking import Detection, TurnTaking
from telephony.call.commands import NO_REPLY, Command, SendMedia
from telephony.simulator.script import HangUp, Script, Step
from telephony.simulator.world import World
from telephony.simulator.world_faults import WorldFault
from tests.worlds import scenarios
from tests.worlds.sdk import WireSdk


def lived(turns: TurnTaking, pause_ms: int, *faults: tuple[int, WorldFault]) -> World:
    """A call whose caller asks in two parts, and is silent for so long between them."""
    steps = [
        Step(wait_for_agent=True, after_ms=300, deed=scenarios.say("q1")),
        Step(after_ms=pause_ms, deed=scenarios.say("q2")),
        Step(wait_for_agent=True, after_ms=300, deed=HangUp()),
    ]
    persona = replace(DEFAULT_PERSONA, turns=turns)
    model = scenarios.model(1, scenarios.ROW)
    world = World(Script(tuple(steps)), model, WireSdk(), seed=1, persona=persona)
    for at_ms, fault in faults:
        world.at(at_ms, fault)
    world.run(60_000)
    return world


def disturbs(command: Command) -> bool:
    """Whether it puts a word, a sound, an end or another session between the parts."""
    if isinstance(command, SayToModel):
        return command.text != DEFAULT_PERSONA.greeting_cue
    if isinstance(command, SendMedia):
        return command.reply == NO_REPLY
    return isinstance(command, EndCallerAudio | CloseModel | OpenModel)


@pytest.mark.parametrize(
    ("detection", "silence_ms", "pause_ms"), [("ours", 5_000, 4_800), ("server", 2_000, 1_900)]
)
def test_a_pause_that_does_not_end_the_turn_is_not_disturbed(
    detection: Detection, silence_ms: int, pause_ms: int
) -> None:
    world = lived(TurnTaking(silence_ms, detection=detection), pause_ms)
    commands = [command for step in world.steps[1:-1] for command in step.commands]
    assert [command for command in commands if disturbs(command)] == []
    assert [line.role for line in world.store.lines] == ["agent", "caller", "agent"]
