"""A bug ends the call it happens in, on this worker alone: Twilio comes back, and it goes on."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agent.conversation.commands import AppendLine
from agent.conversation.transcript import Line
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event, StreamStarted
from telephony.simulator.faults import CallFaults
from telephony.simulator.proxy import proxied
from tests.end_to_end.scripts import HANG_UP, TWO_TURNS, caller
from tests.end_to_end.serving import get, place, serving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SOON_BACK = CallFaults(reconnect_ms=(50, 150))


def bugs() -> Iterator[str]:
    """The first stream meets one, no other does."""
    yield "a bug"
    while True:
        yield ""


async def test_a_bug_costs_the_caller_a_moment_and_not_the_call(gemini: SimulatedGemini) -> None:
    met = bugs()

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        if isinstance(event, StreamStarted) and (bug := next(met)):
            raise ValueError(bug)

    async with serving(gemini, observe) as worker:
        report = await place(caller(HANG_UP), worker.url, faults=SOON_BACK)
        metrics = (await get(worker.url, "/metrics")).text
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.ended_by, report.streams) == ((), "caller", 2)
    assert len(report.turns) == 1
    assert 'offhook_calls_ended_total{reason="failed"} 1.0' in metrics
    assert record is not None
    assert (record.ended_reason, len(record.lines)) == ("caller_hangup", 1)


async def test_a_line_that_waits_to_be_stored_when_a_bug_comes_is_stored(
    gemini: SimulatedGemini, redis_server: "RedisServer"
) -> None:
    met, lines = bugs(), list[Line]()

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        lines.extend(command.line for command in commands if isinstance(command, AppendLine))
        if lines and (bug := next(met)):
            raise ValueError(bug)

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
