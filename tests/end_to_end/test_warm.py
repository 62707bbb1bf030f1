"""Somebody is told of a caller before they are put through, and accepts, declines or is away."""

from pathlib import Path

from agent.conversation.next_step import Leg, Stage
from telephony.simulator import hearing
from tests.end_to_end.scripts import SAY_MORGAN
from tests.end_to_end.test_put_through import BACK, said, step_of
from tests.end_to_end.warm import SUMMARY, caller, desk, person

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
    assert (report.problems, leg.problems) == ((), ())
    assert any(SUMMARY in told for told in leg.announced)
    assert kinds(report.sounds) == ["music", "person"]
    assert {each.source for each in report.sounds if each.kind == "person"} == {leg.call_sid}
    assert kinds(leg.sounds)[0] == "voice"
    step = step_of(record)
    assert (step.stage, step.outcome, step.leg) == (Stage.DONE, "completed", Leg.JOINED)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "transferred")
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
