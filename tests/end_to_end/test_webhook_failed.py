"""A webhook fails in the middle of a call: Twilio asks again, and then asks the fallback."""

from dataclasses import replace

import pytest

from agent.persona.agents import Says
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.simulator import call_flow
from telephony.simulator.faults import CallFaults
from telephony.simulator.script import Cut
from telephony.twilio.urls import RESUME_PATH, TRANSFERRED_PATH, VOICE_PATH
from tests.end_to_end.front import failing
from tests.end_to_end.scripts import AGENT, CONVERSATION, TWO_TURNS, cut_off
from tests.end_to_end.serving import LocalWorker, place, serving

DESK = "+14155550100"
SOON_BACK = CallFaults(reconnect_ms=(50, 150))
ONE_BREAK = cut_off(Cut.RESET)
ATTEMPTS = 4
"""How often Twilio asks, by the fragment of our URLs."""


@pytest.mark.parametrize("path", [VOICE_PATH, RESUME_PATH])
async def test_a_webhook_that_fails_is_asked_again_and_nothing_of_the_call_is_lost(
    worker: LocalWorker, path: str
) -> None:
    async with failing(worker.url) as front:
        front.fails[path] = ATTEMPTS - 1
        report = await place(ONE_BREAK, front.public_url, faults=SOON_BACK)
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.streams, report.problems) == (2, ())
    assert record is not None
    assert [(line.role, line.text) for line in record.lines] == CONVERSATION


async def test_the_fallback_goes_on_with_a_call_that_could_not_be_resumed(
    worker: LocalWorker,
) -> None:
    async with failing(worker.url) as front:
        front.fails[RESUME_PATH] = ATTEMPTS
        report = await place(ONE_BREAK, front.public_url, faults=SOON_BACK)
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.streams == 2
    assert [problem.partition(":")[0] for problem in report.problems] == ["11200"]
    assert record is not None
    assert [(line.role, line.text) for line in record.lines] == CONVERSATION
    assert await worker.server.worker.store.count_resume(report.call_sid) == 2


async def test_a_transfer_whose_end_could_not_be_told_is_not_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)  # our time is dear
    nobody = GeminiServer(AGENT, replace(BRISK, keys=frozenset()))
    async with (
        SimulatedGemini(nobody) as gemini,
        serving(gemini, transfer_to=DESK) as worker,
        failing(worker.url) as front,
    ):
        front.fails[TRANSFERRED_PATH] = ATTEMPTS
        report = await place(TWO_TURNS, front.public_url, faults=CallFaults(dial_ms=20))
    assert report.dialled == (DESK,)
    assert report.announced == (Says().transfer, Says().apology)
    assert report.ended_by == "agent"
