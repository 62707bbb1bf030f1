"""Media stalls in mid-sentence, and then comes at once, with timestamps that have no gap."""

from functools import cache

import pytest

from agent.conversation.commands import SendCallerAudio
from agent.simulator.voice import clip
from telephony.simulator.world import World
from telephony.simulator.world_faults import StallStream, WorldFault
from telephony.twilio.messages import Media
from tests.worlds import judge, scenarios

STALL_MS = 600
OFF_MS = 20
AGAIN_MS = 200
"""After a stall and a burst, so much later all is as before; still within the sentence."""


@cache
def call(*faults: tuple[int, WorldFault]) -> World:
    return scenarios.world(scenarios.questions("q1"), 1, scenarios.ROW, *faults)


def sentence() -> tuple[int, int]:
    """When the caller says it: from, until."""
    [(began_ms, _)] = call().phone.said
    return began_ms, began_ms + round(clip("caller/q1").duration_ms)


def held_ms(world: World, at_ms: int) -> float:
    """How much of what came from the caller by then was not sent on; less than 0: what was made
    up.
    """
    came = sent = 0
    for step in world.steps:
        if step.at_ms <= at_ms:
            came += len(step.event.payload) if isinstance(step.event, Media) else 0
            sent += sum(len(c.pcm) for c in step.commands if isinstance(c, SendCallerAudio))
    return came / 8 - sent / 32


@pytest.mark.parametrize("share", [0.2, 0.3, 0.45])
def test_a_stalled_sentence_is_one_line_and_heard_whole(share: float) -> None:
    began_ms, ended_ms = sentence()
    stalled_ms = round(began_ms + share * (ended_ms - began_ms))
    world = call((stalled_ms, StallStream(STALL_MS)))
    lines = [line.text for line in world.store.lines if line.role == "caller"]
    assert lines == [clip("caller/q1").text]
    assert [(u.phrase, u.coverage) for u in judge.heard(world)] == [("q1", 1.0)]
    assert [line.role for line in world.store.lines] == ["agent", "caller", "agent"]
    over_ms = stalled_ms + STALL_MS + AGAIN_MS
    assert over_ms < ended_ms
    assert abs(held_ms(world, over_ms) - held_ms(world, stalled_ms - 1)) <= OFF_MS
