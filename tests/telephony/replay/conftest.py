"""A whole call in virtual time, and its recording."""

from pathlib import Path

import pytest

from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import Reset
from telephony.replay.recording import Header, Step, write
from tests.worlds import scenarios


@pytest.fixture(scope="session")
def steps() -> list[Step]:
    """A call with barge-ins, a lost session and a hang-up, on one worker."""
    caller = scenarios.barge_ins(1, 4)
    lived = scenarios.world(caller, 1, Behaviour(), (9_000, Reset()))
    assert len(lived.workers) == 1
    return [Step(step.event, step.at_ms, step.commands) for step in lived.steps]


@pytest.fixture
def folder(steps: list[Step], tmp_path: Path) -> Path:
    """Its recording."""
    folder = tmp_path / "barge-ins.call"
    write(folder, Header(1, app="0.1.0", clock="virtual", why="Four barge-ins."), steps)
    return folder
