"""A bug ends the call it happens in, on this worker alone: Twilio comes back, and it goes on."""

from collections.abc import Iterator, Sequence

from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event, StreamStarted
from telephony.simulator.faults import CallFaults
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.serving import get, place, serving

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
