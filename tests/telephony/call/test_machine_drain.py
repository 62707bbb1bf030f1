"""When a call leaves a worker that is told to stop, and what the next one is left with."""

import pytest

from agent.conversation.commands import AppendLine
from agent.conversation.events import CallerSaid, ReplyAudio, TurnComplete
from agent.conversation.persona import GO_ON_CUE
from agent.conversation.turn_taking import DEFAULT_TURNS
from telephony.call.commands import CloseStream, EndCall
from telephony.call.events import CallStatus, DrainRequested
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, PickUp, of, speech
from tests.telephony.call.test_machine_life import CLOSED, WORDS, ended


def test_with_little_time_a_call_is_handed_over_at_once_where_there_is_a_pause(
    greeted: Phone,
) -> None:
    done = greeted.step(DrainRequested(10_000))
    assert ended(done) == [("handed_over", False)]
    assert of(CloseStream, done) == [CloseStream("MZ1")]


def test_with_little_time_a_turn_is_let_come_to_its_end(greeted: Phone) -> None:
    greeted.replies("Yes.", 700)
    greeted.tells(TurnComplete)
    assert of(EndCall, greeted.step(DrainRequested(10_000))) == []
    assert ended(greeted.plays_out()) == [("handed_over", False)]
    assert greeted.lines[-1] == ("agent", "Yes.", "Yes.")


def test_a_caller_who_waits_for_an_answer_is_not_handed_over_before_it(greeted: Phone) -> None:
    greeted.says(VOICE, 800)
    assert of(EndCall, greeted.step(DrainRequested(10_000))) == []
    greeted.wait(500)
    assert of(EndCall, greeted.replies("Yes.", 300)) == []
    greeted.tells(TurnComplete)
    assert ended(greeted.plays_out()) == [("handed_over", False)]


def test_without_a_pause_a_call_is_handed_over_a_second_before_the_budget_ends(
    greeted: Phone,
) -> None:
    greeted.tells(lambda session: ReplyAudio(session, speech(60_000)))
    greeted.step(DrainRequested(10_000))
    early = [of(EndCall, greeted.says(SILENCE, 20)) for _ in range(449)]
    assert early == [[]] * 449
    assert ended(greeted.wait(20)) == [("handed_over", False)]


def test_with_much_time_a_call_goes_on_until_ten_seconds_before_its_end(greeted: Phone) -> None:
    greeted.step(DrainRequested(120_000))
    for _ in range(109):
        assert of(EndCall, greeted.says(SILENCE, 1_000)) == []
    assert ended(greeted.says(SILENCE, 1_000)) == [("handed_over", False)]


@pytest.mark.parametrize("budget_ms", [0, 1, 500])
def test_with_no_time_a_call_is_handed_over_in_mid_reply(greeted: Phone, budget_ms: int) -> None:
    greeted.replies(WORDS, 3_000)
    done = greeted.step(DrainRequested(budget_ms))
    done += greeted.wait(budget_ms)
    assert ended(done) == [("handed_over", False)]
    assert len(of(AppendLine, done)) == 1


def test_a_question_that_nobody_wrote_down_yet_is_owed_an_answer_by_the_next_worker(
    greeted: Phone, pick_up: PickUp
) -> None:
    greeted.says(VOICE, 800)
    assert ended(greeted.step(DrainRequested(0))) == [("handed_over", False)]
    assert greeted.lines[-1] == ("caller", "…", "…")
    lines = tuple(command.line for command in of(AppendLine, greeted.commands))
    after = pick_up(greeted.checkpoint, lines)
    after.starts("MZ2", epoch=2)
    after.ready()
    assert after.cues == [GO_ON_CUE]


def test_a_question_that_is_written_down_is_not_written_again(greeted: Phone) -> None:
    greeted.says(VOICE, 400)
    greeted.tells(lambda session: CallerSaid(session, "Where are you?"))
    greeted.step(DrainRequested(0))
    assert greeted.lines[-1] == ("caller", "Where are you?", "Where are you?")
    assert len(greeted.lines) == 2


def test_a_call_that_is_over_is_owed_no_answer(greeted: Phone) -> None:
    greeted.says(VOICE, 400)
    greeted.step(CallStatus("completed"))
    assert len(greeted.lines) == 1


def test_a_call_without_a_stream_is_handed_over_at_once(greeted: Phone) -> None:
    greeted.step(CLOSED)
    assert ended(greeted.step(DrainRequested(10_000))) == [("handed_over", False)]


@pytest.mark.parametrize("spoken_ms", [60, 300])
def test_a_caller_who_has_begun_to_speak_is_not_handed_over(greeted: Phone, spoken_ms: int) -> None:
    greeted.says(VOICE, spoken_ms)
    assert of(EndCall, greeted.step(DrainRequested(10_000))) == []
    assert of(EndCall, greeted.says(SILENCE, DEFAULT_TURNS.silence_ms - 20)) == []
    assert ended(greeted.says(SILENCE, 40)) == [("handed_over", False)]
