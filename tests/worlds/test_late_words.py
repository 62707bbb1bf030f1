"""A model that writes the caller's words down late, while the answer to them is heard."""

from dataclasses import replace

import pytest

from telephony.call.commands import SendClear
from tests.worlds import scenarios


@pytest.mark.parametrize("late_ms", [800, 2_500, 3_500])
def test_late_words_cut_nothing_and_stand_before_their_answer(late_ms: int) -> None:
    behaviour = replace(
        scenarios.ROW, transcription_ms=late_ms, turn_complete_at="last audio", voice_activity=False
    )
    world = scenarios.world(scenarios.questions("q1", "q2", after_ms=1_500), 3, behaviour)
    assert not [written for written in world.written if isinstance(written.command, SendClear)]
    roles = [line.role for line in world.store.lines]
    assert roles == ["agent", "caller", "agent", "caller", "agent"]
    assert all(line.heard == line.text for line in world.store.lines)


@pytest.mark.parametrize("gap_ms", [20, 150])
def test_words_that_come_in_pieces_while_the_answer_begins_are_one_line_before_it(
    gap_ms: int,
) -> None:
    quick = replace(scenarios.ROW, think_ms=(200, 200))
    pieces = replace(quick, transcription="letters", transcription_gap_ms=gap_ms)
    asked = scenarios.questions("q1", "q2")
    lines = [scenarios.world(asked, 3, each).store.lines for each in (quick, pieces)]
    whole, in_pieces = ([(line.role, line.text, line.heard) for line in each] for each in lines)
    assert in_pieces == whole
