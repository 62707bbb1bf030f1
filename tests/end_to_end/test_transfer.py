"""A caller whom no model answers is put through, whoever calls and however that ends."""

from dataclasses import replace

import pytest

from agent.persona.agents import Says
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.simulator import call_flow
from telephony.simulator.faults import CallFaults, DialStatus
from telephony.simulator.report import Report
from tests.end_to_end.scripts import AGENT, TWO_TURNS
from tests.end_to_end.serving import place, serving

DESK = "+14155550100"


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twilio's voice takes no time: ours is dear."""
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)


async def transferred(caller: str, status: DialStatus = "completed") -> Report:
    """How a call goes that is put through to the desk."""
    nobody = GeminiServer(AGENT, replace(BRISK, keys=frozenset()))
    async with SimulatedGemini(nobody) as gemini, serving(gemini, transfer_to=DESK) as worker:
        faults = CallFaults(dial_status=status, dial_ms=20)
        return await place(TWO_TURNS, worker.url, caller=caller, faults=faults)


@pytest.mark.parametrize(
    "caller", ["+14155550123", "client:alice", "sip:bob@example.com", "anonymous", "+266696687"]
)
async def test_every_caller_is_put_through_with_a_number_that_twilio_takes(caller: str) -> None:
    report = await transferred(caller)
    assert report.problems == ()
    assert (report.announced, report.dialled) == ((Says().transfer,), (DESK,))
    assert report.ended_by == "agent"


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_a_caller_who_reached_nobody_is_told_so_before_the_call_ends(
    status: DialStatus,
) -> None:
    report = await transferred("client:alice", status)
    assert report.problems == ()
    assert report.announced == (Says().transfer, Says().no_answer)
    assert (report.dialled, report.ended_by) == ((DESK,), "agent")
