"""Who answered decides what is done, and a person who pauses is never taken for a machine."""

import pytest

from agent.persona.outbound import OnMachine
from telephony.dialling.machines import FINISHED, act_on

WANTED: tuple[OnMachine, ...] = ("talk", "hang_up", "voicemail")


@pytest.mark.parametrize("wanted", WANTED)
def test_what_is_wanted_is_done_once_a_machine_has_finished(wanted: OnMachine) -> None:
    assert len(FINISHED) == 3
    assert {act_on(answered_by, wanted) for answered_by in FINISHED} == {wanted}


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("answered_by", ["human", "machine_start", "unknown", "", "machine_end"])
def test_whoever_may_be_a_person_is_talked_to(answered_by: str, wanted: OnMachine) -> None:
    assert act_on(answered_by, wanted) == "talk"


def test_no_message_is_left_on_a_fax() -> None:
    assert [act_on("fax", wanted) for wanted in WANTED] == ["talk", "hang_up", "hang_up"]
