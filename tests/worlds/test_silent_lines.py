"""A line that delivers nothing while the caller says nothing: silence is no loss."""

from dataclasses import replace

import pytest

from telephony.simulator.faults import LineFaults
from telephony.simulator.script import HangUp, Step
from tests.worlds import scenarios

NOTHING = LineFaults(idle_silence=False)
FIVE_MINUTES_MS = 300_000


@pytest.mark.parametrize("seed", range(3))
def test_five_silent_minutes_are_one_stream_and_cut_nothing(seed: int) -> None:
    steps = [
        Step(wait_for_agent=True, after_ms=300, deed=scenarios.say("q1")),
        Step(wait_for_agent=True, after_ms=FIVE_MINUTES_MS, deed=scenarios.say("repeat")),
        Step(wait_for_agent=True, after_ms=300, deed=HangUp()),
    ]
    behaviour = replace(scenarios.ROW, think_ms=(600, 600))
    world = scenarios.world(steps, seed, behaviour, line_faults=NOTHING)
    assert world.now_ms > FIVE_MINUTES_MS
    assert len(world.phone.lines) == 1
    assert [line.role for line in world.store.lines] == ["agent", "caller"] * 2 + ["agent"]
    assert all(line.heard == line.text for line in world.store.lines)
