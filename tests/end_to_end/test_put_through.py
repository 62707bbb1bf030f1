"""The agent puts a caller through to somebody by name, who takes the call, or does not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.conversation.next_step import NextStep, Stage
from agent.conversation.tool_events import ToolCalled
from agent.money.prices import OUTBOUND_USD
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from agent.store.base import CallRecord
from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.simulator.faults import CallFaults
from telephony.simulator.report import Report
from telephony.twilio.urls import RESUME_PATH, TRANSFERRED_PATH
from tests.end_to_end.front import failing
from tests.end_to_end.scripts import GREETING, MORGAN, MORGAN_ANSWER, SAY_MORGAN, caller
from tests.end_to_end.serving import LocalWorker, place, serving

SALES = "+14155550101"
MODEL = parse(
    """
    greeting = "still-here"
    on_text = "sorry"
    [[turns]]
    expect = "morgan"
    say = "goodbye"
    then = { tool = "transfer", arguments = { to = "sales" } }
    """
)
CALLER = caller(SAY_MORGAN, 'until_said = "sorry"\nhang_up = true')
UNTIL_THEN = [("agent", GREETING), ("caller", MORGAN), ("agent", MORGAN_ANSWER)]
BACK = ("agent", clip("agent/sorry").text)
TALKED, BUSY = CallFaults(dial_ms=20), CallFaults(dial_ms=20, dial_status="busy")
ATTEMPTS = 4
"""How often Twilio asks, by the fragment of our URLs."""


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    """An agent that knows one number."""
    file = tmp_path / "mira.toml"
    file.write_text(
        'name = "Mira"\ninstructions = "You are Mira."\ngreeting = "Hello."\n'
        f'[transfers.sales]\nto = "{SALES}"\n'
    )
    return file


def step_of(record: CallRecord | None) -> NextStep:
    assert record is not None
    assert record.next_step is not None
    return record.next_step


def said(record: CallRecord | None) -> list[tuple[str, str]]:
    assert record is not None
    return [(line.role, line.text) for line in record.lines]


async def placed(
    worker: LocalWorker, faults: CallFaults, url: str = ""
) -> tuple[Report, CallRecord | None]:
    report = await place(CALLER, url or worker.url, faults=faults)
    return report, await worker.server.worker.store.look_up(report.call_sid)


async def test_a_caller_who_is_put_through_leaves_the_agent(persona: Path) -> None:
    model = GeminiServer(MODEL, BRISK)
    async with SimulatedGemini(model) as gemini, serving(gemini, personas=persona) as worker:
        report, record = await placed(worker, TALKED)
        assert len(worker.server.worker.calls) == 0
    assert (report.problems, report.dialled, report.announced) == ((), (SALES,), ())
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "transferred")
    step = step_of(record)
    assert (step.to, step.by, step.stage, step.outcome) == (
        *("sales", "agent"),
        *(Stage.DONE, "completed"),
    )
    assert record.besides_usd == OUTBOUND_USD, "the second leg"
    assert said(record) == [("agent", "Hello."), *UNTIL_THEN[1:]]
    assert len(model.sessions) == 1


@pytest.mark.parametrize(
    ("faults", "why", "minutes"),
    [
        (CallFaults(dial_ms=600_000, dial_ring_ms=500_000), "caller_hangup", 0),
        (CallFaults(dial_ms=600_000, dial_status="no-answer"), "caller_hangup", 0),
        (CallFaults(dial_ms=600_000), "transferred", 1),
        (CallFaults(dial_ms=600_000, status_twice=True), "transferred", 1),
        # it is told only once the call is over
        (CallFaults(dial_ms=600_000, status_late_ms=(2_500, 2_500)), "transferred", 1),
    ],
    ids=["it rings", "nobody answers", "they talk", "told twice", "told late"],
)
async def test_a_caller_who_hangs_up_was_transferred_only_if_somebody_had_answered(
    persona: Path, faults: CallFaults, why: str, minutes: int
) -> None:
    leaves = caller(SAY_MORGAN, "after_ms = 7000\nhang_up = true")
    model = GeminiServer(MODEL, BRISK)
    async with SimulatedGemini(model) as gemini, serving(gemini, personas=persona) as worker:
        report = await place(leaves, worker.url, faults=faults)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.dialled, report.ended_by) == ((), (SALES,), "caller")
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", why)
    assert record.besides_usd >= minutes * OUTBOUND_USD
    assert bool(record.besides_usd) == bool(minutes), "what rang in vain costs nothing"


async def test_a_caller_whom_nobody_answers_comes_back_to_the_agent_who_knows(
    persona: Path,
) -> None:
    model = GeminiServer(MODEL, BRISK)
    async with SimulatedGemini(model) as gemini, serving(gemini, personas=persona) as worker:
        report, record = await placed(worker, BUSY)
    assert (report.problems, report.dialled, report.streams) == ((), (SALES,), 2)
    assert record is not None
    assert (report.ended_by, record.ended_reason) == ("caller", "caller_hangup")
    assert said(record) == [("agent", "Hello."), *UNTIL_THEN[1:], BACK]
    assert (step_of(record).stage, step_of(record).outcome) == (Stage.DONE, "busy")
    assert record.besides_usd == 0


@pytest.mark.parametrize(
    ("path", "fails", "dialled"),
    [
        (RESUME_PATH, ATTEMPTS - 1, 1),
        (RESUME_PATH, ATTEMPTS, 1),  # the number's fallback is asked, and puts the caller through
        (TRANSFERRED_PATH, ATTEMPTS - 1, 1),
        (TRANSFERRED_PATH, ATTEMPTS, 1),  # the fallback does not dial again
    ],
)
async def test_a_webhook_that_fails_makes_nobody_ring_twice(
    persona: Path, path: str, fails: int, dialled: int
) -> None:
    model = GeminiServer(MODEL, BRISK)
    async with (
        SimulatedGemini(model) as gemini,
        serving(gemini, personas=persona) as worker,
        failing(worker.url) as front,
    ):
        front.fails[path] = fails
        report, record = await placed(worker, BUSY, front.public_url)
    assert len(report.dialled) == dialled
    assert said(record) == [("agent", "Hello."), *UNTIL_THEN[1:], BACK]
    untold = (path, fails) == (TRANSFERRED_PATH, ATTEMPTS)
    assert step_of(record).stage is (Stage.UNKNOWN if untold else Stage.DONE)


async def test_a_target_that_is_not_in_the_file_any_more_is_not_dialled(persona: Path) -> None:
    """The owner removes it while the agent is about to put somebody through."""

    def forget(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        if isinstance(event, ToolCalled):
            persona.write_text(persona.read_text().replace("transfers.sales", "transfers.desk"))

    model = GeminiServer(MODEL, BRISK)
    async with (
        SimulatedGemini(model) as gemini,
        serving(gemini, forget, personas=persona) as worker,
    ):
        report, record = await placed(worker, BUSY)
    assert report.dialled == ()
    assert said(record)[-1] == BACK
