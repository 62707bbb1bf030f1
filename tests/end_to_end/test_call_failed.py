"""A bug ends the call it happens in, on this worker alone: Twilio comes back, and it goes on."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from agent.conversation.commands import AppendLine
from agent.conversation.transcript import Line
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event, StreamStarted
from telephony.call.machine import Call
from telephony.simulator.faults import CallFaults
from telephony.simulator.proxy import proxied
from tests.end_to_end.scripts import HANG_UP, TWO_TURNS, caller
from tests.end_to_end.serving import get, place, serving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SOON_BACK = CallFaults(reconnect_ms=(50, 150))


def plant_bug(monkeypatch: pytest.MonkeyPatch, meets: Callable[[Event], bool]) -> None:
    """Have the first step that meets it raise, and no other."""
    step, met = Call.step, list[Event]()

    def buggy(call: Call, event: Event, now_ms: int) -> list[Command]:
        if not met and meets(event):
            met.append(event)
            raise ValueError("a bug")
        return step(call, event, now_ms)

    monkeypatch.setattr(Call, "step", buggy)


async def test_a_bug_costs_the_caller_a_moment_and_not_the_call(
    gemini: SimulatedGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_bug(monkeypatch, lambda event: isinstance(event, StreamStarted))
    async with serving(gemini) as worker:
        report = await place(caller(HANG_UP), worker.url, faults=SOON_BACK)
        metrics = (await get(worker.url, "/metrics")).text
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.ended_by, report.streams) == ((), "caller", 2)
    assert len(report.turns) == 1
    assert 'offhook_calls_ended_total{reason="failed"} 1.0' in metrics
    assert record is not None
    assert (record.ended_reason, len(record.lines)) == ("caller_hangup", 1)


async def test_a_line_that_waits_to_be_stored_when_a_bug_comes_is_stored(
    gemini: SimulatedGemini, redis_server: "RedisServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = list[Line]()
    plant_bug(monkeypatch, lambda _: bool(lines))

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        lines.extend(command.line for command in commands if isinstance(command, AppendLine))

    async with proxied("127.0.0.1", redis_server.port) as slow:
        slow.delay_ms = (30, 30)
        redis_url = f"redis://127.0.0.1:{slow.port}/0"
        async with serving(gemini, observe, redis_url=redis_url) as worker:
            report = await place(TWO_TURNS, worker.url, faults=SOON_BACK)
            record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.ended_by, report.streams) == ((), "caller", 2)
    assert record is not None
    assert list(record.lines) == lines
    assert [line.n for line in lines] == list(range(1, len(lines) + 1))


async def test_an_observer_that_fails_at_every_event_is_not_noticed_by_the_caller(
    gemini: SimulatedGemini,
) -> None:
    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        raise ValueError("a bug of the observer's")

    async with serving(gemini, observe) as worker:
        report = await place(caller(HANG_UP), worker.url)
        metrics = (await get(worker.url, "/metrics")).text
    assert (report.problems, report.ended_by, report.streams) == ((), "caller", 1)
    assert 'offhook_observers_failed_total{observer="function"} 1.0' in metrics
    assert 'offhook_calls_ended_total{reason="caller_hangup"} 1.0' in metrics
