"""What a world can suffer besides a lost socket: each fault does what its name says."""

import pytest

from agent.conversation.events import Interrupted, SessionLost, SessionRefused
from agent.simulator.behaviour import EXACT
from agent.simulator.faults import Reset
from telephony.call.commands import EndCall
from telephony.call.events import LinesStored, StoreBack
from telephony.simulator.faults import LineFaults
from telephony.simulator.world import GOOD_LINE, World
from telephony.simulator.world_faults import (
    BlackHole,
    Drain,
    LoseStore,
    LoseStream,
    RequestEnd,
    SendFrame,
    SendOld,
    StallStream,
    StallWriter,
    WorldFault,
)
from telephony.twilio.messages import Malformed, Media, Stop
from tests.worlds import scenarios


def call(*faults: tuple[int, WorldFault], line: LineFaults = GOOD_LINE) -> World:
    return scenarios.world(scenarios.questions("q1"), 0, EXACT, *faults, line_faults=line)


def times(world: World, event: type[object]) -> list[int]:
    return [step.at_ms for step in world.steps if isinstance(step.event, event)]


def ends(world: World) -> list[str]:
    commands = [command for step in world.steps for command in step.commands]
    return [command.reason for command in commands if isinstance(command, EndCall)]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (SendFrame(), "not JSON"),
        (SendFrame("[]", binary=True), "binary frame"),
        (SendFrame('{"x":', times=60_000), "nested too deeply"),
    ],
)
def test_a_malformed_frame_is_told_to_the_call(fault: SendFrame, reason: str) -> None:
    world = call((3_000, fault))
    (told,) = [step.event for step in world.steps if isinstance(step.event, Malformed)]
    assert told.reason == reason


def test_a_message_of_a_session_of_before_is_told_to_the_call() -> None:
    interrupted: dict[str, object] = {"serverContent": {"interrupted": True}}
    world = call((3_000, Reset()), (5_000, SendOld(interrupted, session=1)))
    (told,) = [step for step in world.steps if isinstance(step.event, Interrupted)]
    assert (told.at_ms, told.event) == (5_000, Interrupted(session=1))
    assert world.store.lines == call((3_000, Reset())).store.lines


def test_what_a_stalled_writer_holds_is_written_when_the_stall_is_over() -> None:
    world = call((1_500, StallWriter(300)))
    written_ms = [written.at_ms for written in world.written]
    assert not [at_ms for at_ms in written_ms if 1_500 <= at_ms < 1_800]
    assert written_ms.count(1_800) >= 2
    expected = [written.command for written in call().written if written.at_ms < 1_500]
    assert [written.command for written in world.written][: len(expected)] == expected


def test_a_stalled_stream_brings_nothing_and_then_everything() -> None:
    media_ms = times(call((3_000, StallStream(250))), Media)
    assert not [at_ms for at_ms in media_ms if 3_050 < at_ms < 3_250]
    assert media_ms.count(3_250) >= 10
    assert len(media_ms) == len(times(call(), Media))


def test_lines_wait_while_the_store_is_away() -> None:
    world = call((1_000, LoseStore(6_000)))
    assert min(times(world, LinesStored)) == min(times(world, StoreBack)) == 7_000
    assert world.store.lines == call().store.lines


def test_a_drained_worker_hands_the_call_over() -> None:
    world = call((1_000, Drain(11_000)))
    assert ends(world) == ["handed_over", "caller_hangup"]
    assert [line.epoch for line in world.store.lines] == [1, 2, 2]


def test_a_call_that_cannot_go_on_ends_with_the_reason() -> None:
    world = call((3_000, RequestEnd()))
    assert ends(world) == ["too_many_resumes"]
    assert world.now_ms < 3_100


def test_a_stream_that_comes_back_elsewhere_takes_the_call_with_it() -> None:
    world = call((7_000, LoseStream(elsewhere=True)))
    assert ends(world) == ["taken_over", "caller_hangup"]
    assert world.store.complaints == []


@pytest.mark.parametrize("known", [True, False])
def test_a_black_hole_swallows_both_ways_and_is_told_to_nobody(known: bool) -> None:
    world = call((3_000, BlackHole(known)))
    before, *_, after = world.links
    refused = times(world, SessionRefused)
    assert len(before.received) < len(after.received)
    assert times(world, SessionLost) == []
    assert bool(refused) is not known
    assert world.store.lines[-1].text == call().store.lines[-1].text


def test_a_caller_may_leave_without_a_stop() -> None:
    world = call(line=LineFaults(stop=False))
    assert times(world, Stop) == []
    assert ends(world) == ["caller_hangup"]
    assert world.store.lines == call().store.lines
