"""A server that announces the end of a session as soon as it has begun: a notice is no order."""

from dataclasses import replace

import pytest

from telephony.call.commands import EndCall, SendClear
from telephony.call.ending import EndedReason
from telephony.simulator.world import World
from tests.worlds import scenarios

NAMES = scenarios.QUESTIONS


def told_to_go(left_ms: int, calls_s: int) -> World:
    """A call of so long, in which every session is told one second after its beginning."""
    behaviour = replace(
        scenarios.ROW, lifetime_ms=left_ms + 1_000, go_away_ms=left_ms, think_ms=(600, 600)
    )
    asked = [NAMES[n % len(NAMES)] for n in range(calls_s // 12)]
    return scenarios.world(scenarios.questions(*asked, after_ms=5_000), 1, behaviour)


def ended(world: World) -> list[EndedReason]:
    steps = (command for step in world.steps for command in step.commands)
    return [command.reason for command in steps if isinstance(command, EndCall)]


@pytest.mark.parametrize(("left_ms", "calls_s"), [(300_000, 420), (50_000, 120), (9_000, 60)])
def test_every_session_is_used_for_a_good_part_of_its_time_and_nothing_is_cut(
    left_ms: int, calls_s: int
) -> None:
    world = told_to_go(left_ms, calls_s)
    assert world.now_ms >= calls_s * 1_000 * 0.7
    assert ended(world) == [EndedReason.CALLER_HANGUP]
    assert len(world.links) <= world.now_ms // max(left_ms // 4, left_ms - 60_000) + 1
    assert not [written for written in world.written if isinstance(written.command, SendClear)]
    said = [line for line in world.store.lines if line.role == "agent"]
    assert all(line.heard == line.text for line in said)
    assert len(said) == calls_s // 12 + 1
