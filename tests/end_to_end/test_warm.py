"""Somebody is told of a caller before they are put through, and accepts, declines or is away."""

import asyncio
from pathlib import Path

import pytest

from agent.conversation.next_step import Leg, Stage
from agent.money.prices import OUTBOUND_USD
from telephony.simulator import call_flow, hearing
from telephony.simulator import caller as telephone
from telephony.simulator.report import CallEnded, CallEvent
from telephony.simulator.rest_faults import read_rest_faults
from telephony.simulator.script import Script
from telephony.twilio import conference
from tests.end_to_end.scripts import SAY_MORGAN
from tests.end_to_end.test_put_through import BACK, said, step_of
from tests.end_to_end.warm import PERSONA, SUMMARY, caller, desk, person

LEAVES = caller(SAY_MORGAN, 'until_said = "goodbye"\nafter_ms = 2500\nhang_up = true')
STAYS = "after_ms = 60000\nhang_up = true"
AT_MOST_MS = 1_000
"""How long a telephone may ring on after the caller has hung up."""
ACCEPTS = person(
    'wait = "agent"\npress = "1"',
    'wait = "line"\nsay = "goodbye"',
    "after_ms = 500\nhang_up = true",
)
DECLINES = person('wait = "agent"\npress = "2"')
CALLER = caller(SAY_MORGAN, 'until_said = "sorry"\nhang_up = true')


def kinds(sounds: tuple[hearing.Sound, ...]) -> list[str]:
    found: list[str] = []
    for sound in sounds:
        if not found or found[-1] != sound.kind:
            found.append(sound.kind)
    return found


async def test_a_target_who_accepts_hears_the_summary_and_talks_with_the_caller(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, ACCEPTS) as there:
        report, record = await there.call(CALLER)
        leg = await there.leg()
        assert len(there.worker.server.worker.calls) == 0
        paid = await there.worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, leg.problems) == ((), ())
    assert any(SUMMARY in told for told in leg.announced)
    assert kinds(report.sounds) == ["music", "person"]
    assert {each.source for each in report.sounds if each.kind == "person"} == {leg.call_sid}
    assert kinds(leg.sounds)[0] == "voice"
    step = step_of(record)
    assert (step.stage, step.outcome, step.leg) == (Stage.DONE, "completed", Leg.JOINED)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "transferred")
    assert paid is not None
    assert paid.besides_usd == OUTBOUND_USD
    assert len(there.model.sessions) == 1


async def test_a_target_who_declines_gives_the_caller_back_to_the_agent_who_knows(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, DECLINES) as there:
        report, record = await there.call(CALLER)
        leg = await there.leg()
    assert (report.problems, leg.problems) == ((), ())
    assert kinds(leg.sounds) == ["voice"]
    assert said(record)[-1] == BACK
    assert (step_of(record).stage, step_of(record).outcome) == (Stage.DONE, "declined")
    assert record is not None
    assert (report.ended_by, record.ended_reason) == ("caller", "caller_hangup")


async def test_a_target_who_presses_another_key_hears_the_briefing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 5)
    unsure = person('wait = "agent"\npress = "#"', 'wait = "agent"\npress = "2"')
    async with desk(tmp_path, unsure) as there:
        report, record = await there.call(CALLER)
        leg = await there.leg()
    assert (report.problems, leg.problems) == ((), ())
    assert len(leg.announced) == 2
    assert step_of(record).outcome == "declined"


@pytest.mark.parametrize(
    ("rings_ms", "told", "leg"), [(20_000, 0, Leg.RINGING), (20, 1, Leg.BRIEFED)]
)
async def test_a_target_is_left_alone_once_the_caller_has_hung_up(
    tmp_path: Path, rings_ms: int, told: int, leg: Leg
) -> None:
    ended_s: list[float] = []
    loop = asyncio.get_running_loop()

    def note(event: CallEvent) -> None:
        if isinstance(event, CallEnded):
            ended_s.append(loop.time())

    async with desk(tmp_path, person(STAYS, ring_ms=rings_ms), on_leg=note) as there:
        report, record = await there.call(LEAVES, on_event=note)
        target = await there.leg()
    assert report.ended_by == "caller"
    assert len(target.announced) == told
    left_s, leg_s = ended_s
    assert (leg_s - left_s) * 1000 <= AT_MOST_MS
    assert (step_of(record).outcome, step_of(record).leg) == ("caller-left", leg)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "caller_hangup")


async def test_a_machine_that_is_noticed_is_told_nothing_and_the_caller_comes_back(
    tmp_path: Path,
) -> None:
    machine = person(STAYS, answered_by="machine_start", answered_by_ms=300)
    noticed = PERSONA.replace("warm = true", "warm = true\nnotice_machines = true")
    async with desk(tmp_path, machine, noticed) as there:
        report, record = await there.call(CALLER)
        leg = await there.leg()
    assert (report.problems, leg.announced) == ((), ())
    assert said(record)[-1] == BACK
    assert step_of(record).outcome == "voicemail"


@pytest.mark.parametrize(
    ("target", "told", "outcome"),
    [
        (person(STAYS, pickup="busy", ring_ms=500), 0, "busy"),
        (person(STAYS, pickup="no-answer"), 0, "no-answer"),
        (person(STAYS), 1, "not-taken"),
        (person('wait = "agent"\nsay = "goodbye"', STAYS), 1, "not-taken"),
        (person('wait = "agent"\nhang_up = true'), 1, "not-taken"),
    ],
    ids=["busy", "no answer", "no key", "an unnoticed voicemail", "hangs up"],
)
async def test_a_target_who_does_not_come_gives_the_caller_back_to_the_agent_who_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Script, told: int, outcome: str
) -> None:
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 5)
    monkeypatch.setattr(telephone, "MS_A_SECOND", 50)  # so long it rings at most
    monkeypatch.setattr(conference, "KEY_S", 1)
    async with desk(tmp_path, target) as there:
        report, record = await there.call(CALLER)
        leg = await there.leg()
    assert (report.problems, leg.problems) == ((), ())
    assert (len(leg.announced), len(there.exchange.placed)) == (told, 1)
    assert kinds(report.sounds) == ["music"]
    assert said(record)[-1] == BACK
    assert (step_of(record).stage, step_of(record).outcome) == (Stage.DONE, outcome)
    assert record is not None
    assert (report.ended_by, record.ended_reason) == ("caller", "caller_hangup")


@pytest.mark.parametrize("fault", ["place=21210", "place=lost"])
async def test_a_leg_that_twilio_refuses_or_does_not_answer_for_brings_the_caller_back(
    tmp_path: Path, fault: str
) -> None:
    rings = person(STAYS, ring_ms=20_000)
    async with desk(tmp_path, rings) as there:
        there.account.faults_of.extend(read_rest_faults([fault]))
        report, record = await there.call(CALLER)
        legs = [await there.exchange.report(each.sid) for each in there.exchange.placed]
    assert report.problems == ()
    assert [(leg.announced, leg.ended_by) for leg in legs] == [((), "canceled")] * (
        fault == "place=lost"
    )
    assert said(record)[-1] == BACK
    assert step_of(record).outcome == "failed"
