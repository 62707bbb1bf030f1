"""A call is recorded only if its caller was told and has not refused, as far as that is known."""

from dataclasses import replace

import pytest

from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.commands import StopRecording
from agent.conversation.consent import Consent, going_on, is_recorded
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.tool_events import ToolCalled

RECORDS = replace(DEFAULT_PERSONA, recording_days=30)
REFUSES = ToolCalled(1, "c", "stop_recording", "{}")


def test_a_call_that_goes_on_is_not_recorded_if_nobody_knows_what_its_caller_said() -> None:
    told = replace(NOTHING_KNOWN, recorded="told")
    assert is_recorded(going_on(RECORDS, told), told)
    assert not is_recorded(going_on(RECORDS, None), None)


@pytest.mark.parametrize(("before", "stops"), [("told", 1), ("", 1), ("refused", 0)])
def test_a_refusal_stops_also_a_recording_of_which_the_caller_was_not_told(
    before: str, stops: int
) -> None:
    consent = Consent(RECORDS, replace(NOTHING_KNOWN, recorded=before))
    done = consent.refused(REFUSES)
    assert sum(isinstance(command, StopRecording) for command in done) == stops
    assert consent.kept_in(NOTHING_KNOWN).recorded == "refused"


def test_who_nobody_told_is_not_recorded_later() -> None:
    """By a worker of an older file, for instance, whose agent recorded nothing."""
    untold = replace(NOTHING_KNOWN, recorded="")
    assert not is_recorded(RECORDS, untold)
