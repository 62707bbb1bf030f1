"""A model that says nothing for five seconds in the middle of a reply, again and again."""

from dataclasses import replace
from random import Random

import pytest

from agent.conversation.commands import OpenModel
from agent.simulator import script as model_script
from agent.simulator.behaviour import Rest
from agent.simulator.model import GeminiServer
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.simulator.script import HangUp, Script, Step
from telephony.simulator.world import World
from tests.worlds import scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES
from tests.worlds.sdk import WireSdk

GAP_MS = 5_000
BROKEN_WORD_FRAMES = 20


def call(rest: Rest, gap_ms: int) -> World:
    behaviour = replace(scenarios.ROW, rest=rest, gap_ms=gap_ms, gap_every_ms=1_500)
    script = model_script.Script((model_script.Turn("times", "q1"),), greeting="goodbye")
    steps = (
        Step(wait_for_agent=True, after_ms=6_000, deed=scenarios.say("q1")),
        Step(wait_for_agent=True, after_ms=12_000, deed=HangUp()),
    )
    caller = Script(steps, patience_ms=120_000)
    world = World(caller, GeminiServer(script, behaviour, Random(1)), WireSdk(), seed=1)
    world.run()
    return world


@pytest.mark.parametrize(
    ("rest", "gap_ms"),
    [("goes on", GAP_MS), ("anew", GAP_MS), ("nothing", GAP_MS), ("anew", 2 * GAP_MS)],
)
def test_a_reply_with_gaps_is_heard_once_and_whole(rest: Rest, gap_ms: int) -> None:
    world = call(rest, gap_ms)
    answer = seams.said(world)[-1]
    assert (answer.name, answer.lost_frames < WORD_FRAMES) == ("times", True)
    assert answer.twice_frames <= BROKEN_WORD_FRAMES * (len(answer.parts) - 1)
    commands = [command for step in world.steps for command in step.commands]
    assert len([command for command in commands if isinstance(command, OpenModel)]) <= 4
    ends = [command.reason for command in commands if isinstance(command, EndCall)]
    assert ends == [EndedReason.CALLER_HANGUP]
