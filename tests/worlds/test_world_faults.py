"""What a world can suffer besides a lost socket: each fault does what its name says."""

from agent.simulator.behaviour import EXACT
from telephony.call.commands import EndCall
from telephony.call.events import LinesStored, StoreBack
from telephony.simulator.faults import LineFaults
from telephony.simulator.world import GOOD_LINE, World
from telephony.simulator.world_faults import (
    Drain,
    LoseStore,
    LoseStream,
    RequestEnd,
    SendFrame,
    StallStream,
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


def test_a_malformed_frame_is_told_to_the_call() -> None:
    world = call((3_000, SendFrame()))
    assert len(times(world, Malformed)) == 1


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


def test_a_caller_may_leave_without_a_stop() -> None:
    world = call(line=LineFaults(stop=False))
    assert times(world, Stop) == []
    assert ends(world) == ["caller_hangup"]
    assert world.store.lines == call().store.lines
