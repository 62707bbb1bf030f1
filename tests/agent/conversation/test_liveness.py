"""When a model that says nothing owes something, and what is done about it."""

import pytest

from agent.conversation.debt import QUESTION_MS
from agent.conversation.liveness import (
    NUDGE_LIMIT_MS,
    SPEECH_MS,
    SPOKEN_ON_MS,
    STALL_LIMIT_MS,
    Liveness,
)
from agent.conversation.onset import Onset
from agent.conversation.pace import LEAST_PATIENCE_MS, Pace
from agent.conversation.playing import Playing
from agent.conversation.remedies import Remedy, Trouble
from agent.conversation.reply import Reply
from agent.conversation.transcript import Transcript
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking

NOW_MS = 10_000
AFTER_ALL_MS = 3_600_000


def silent() -> Playing:
    """Nothing was heard yet."""
    return Playing(Transcript([], 0, 0, Onset()))


def said(live: Liveness, now_ms: int, audio_ms: int, *, audible: bool = True) -> None:
    """So much of a reply came."""
    if not live._playing:
        live._playing.begin(Reply(1, now_ms))
    live._playing.came(audio_ms, now_ms)
    live.speaks(now_ms, audible=audible)


@pytest.fixture
def live() -> Liveness:
    """Of a session that listens; nothing was said yet."""
    return Liveness(silent())


def due(live: Liveness) -> tuple[int, tuple[Trouble, Remedy] | None]:
    """The next deadline, and what is due then and not a ms before."""
    at_ms = live.deadline_ms(0)
    assert at_ms is not None
    assert live.due(at_ms - 1, 0) is None
    return at_ms, live.due(at_ms, 0)


def test_silence_in_which_nothing_is_owed_is_no_trouble(live: Liveness) -> None:
    assert live.deadline_ms(0) is None
    assert live.due(AFTER_ALL_MS, 0) is None


def test_an_answer_may_take_as_long_as_a_long_thought(live: Liveness) -> None:
    longest_seen_ms = 2_200
    live.caller_finished(NOW_MS)
    at_ms, what = due(live)
    assert at_ms == NOW_MS + LEAST_PATIENCE_MS > NOW_MS + longest_seen_ms
    assert what == (Trouble.NO_REPLY, Remedy.NUDGE)


def test_a_slow_thinker_is_given_twice_what_it_usually_takes() -> None:
    live = Liveness(silent(), Pace(5_000))
    live.caller_finished(NOW_MS)
    assert live.deadline_ms(0) == NOW_MS + 10_000


def test_how_long_the_model_thinks_is_learnt_from_its_answers(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    said(live, NOW_MS + 3_000, 500)
    live.closed("", spoke=True)
    live.caller_finished(2 * NOW_MS)
    assert live.deadline_ms(0) == 2 * NOW_MS + 6_000


def test_an_answer_after_a_nudge_took_as_long_as_from_the_question(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    due(live)
    live.nudged(NOW_MS + LEAST_PATIENCE_MS)
    said(live, NOW_MS + 5_000, 500)
    live.closed("", spoke=True)
    live.caller_finished(2 * NOW_MS)
    assert live.deadline_ms(0) == 2 * NOW_MS + 10_000


def test_what_was_taken_back_tells_nothing_of_the_pace(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    live.interrupted(NOW_MS)
    said(live, NOW_MS + 9_000, 500)
    live.closed("", spoke=True)
    live.caller_finished(3 * NOW_MS)
    assert live.deadline_ms(0) == 3 * NOW_MS + LEAST_PATIENCE_MS


def test_after_a_session_was_given_up_in_vain_the_next_is_given_twice_as_long(
    live: Liveness,
) -> None:
    for _ in range(2):  # a nudge, then another session
        live.asked(NOW_MS)
        due(live)
    live.asked(NOW_MS)
    assert live.deadline_ms(0) == NOW_MS + 2 * LEAST_PATIENCE_MS


def test_remedies_come_in_turn_and_then_fresh_sessions(live: Liveness) -> None:
    done = []
    for _ in range(4):
        live.asked(NOW_MS)
        done.append(due(live)[1])
    remedies = [Remedy.NUDGE, Remedy.RESUME, Remedy.FRESH, Remedy.FRESH]
    assert done == [(Trouble.NO_REPLY, remedy) for remedy in remedies]


def test_a_reply_that_is_heard_begins_the_remedies_anew(live: Liveness) -> None:
    live.asked(NOW_MS)
    due(live)
    said(live, NOW_MS, 100)
    live.replied(audible=True)
    live.closed("", spoke=True)
    live.asked(NOW_MS)
    assert due(live)[1] == (Trouble.NO_REPLY, Remedy.NUDGE)


def test_audio_is_an_answer(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    said(live, NOW_MS + 3_000, 500)
    live.closed("", spoke=True)
    assert live.deadline_ms(0) is None


def test_a_nudge_is_answered_sooner(live: Liveness) -> None:
    live.nudged(NOW_MS)
    assert live.deadline_ms(0) == NOW_MS + NUDGE_LIMIT_MS


def test_a_caller_who_speaks_on_is_not_answered_yet(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    live.caller_spoke(NOW_MS + 1_000, 20)
    assert live.deadline_ms(0) == NOW_MS + 1_000 + LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms


def test_the_end_of_a_word_puts_off_a_nudge_for_a_moment_only(live: Liveness) -> None:
    """In front of noise it seems to last longer than the model hears it."""
    live.caller_spoke(NOW_MS, 300)
    live.caller_finished(NOW_MS)
    live.closed("", spoke=False)
    assert live.due(NOW_MS + 60, 0) is None
    assert live.deadline_ms(0) == NOW_MS + DEFAULT_TURNS.silence_ms
    assert live.due(NOW_MS + DEFAULT_TURNS.silence_ms, 0) == (Trouble.EMPTY_TURN, Remedy.NUDGE)


def test_speech_that_the_server_does_not_hear_is_sent_again_once(live: Liveness) -> None:
    live.caller_spoke(NOW_MS, SPEECH_MS)
    assert due(live) == (NOW_MS + DEFAULT_TURNS.told_ms, (Trouble.UNHEARD, Remedy.END_AUDIO))
    again_ms = NOW_MS + LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms
    assert due(live) == (again_ms, (Trouble.UNHEARD, Remedy.RESUME))
    live.caller_spoke(AFTER_ALL_MS, SPEECH_MS)
    assert due(live)[1] == (Trouble.UNHEARD, Remedy.END_AUDIO)
    assert due(live)[1] is None


def test_once_the_end_of_the_audio_was_told_that_has_time_to_show(live: Liveness) -> None:
    """Also where it is told late: the model seemed to think until then."""
    live.caller_spoke(NOW_MS, SPEECH_MS)
    late_ms = NOW_MS + LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms + 1
    assert live.due(late_ms, 0) == (Trouble.UNHEARD, Remedy.END_AUDIO)
    assert due(live) == (late_ms + DEFAULT_TURNS.told_ms, (Trouble.UNHEARD, Remedy.RESUME))


def test_a_model_that_we_tell_of_the_end_of_speech_is_not_told_of_an_end_of_audio() -> None:
    """It has as long to answer as one that was told."""
    live = Liveness(silent(), turns=TurnTaking(detection="ours"))
    live.caller_spoke(NOW_MS, SPEECH_MS)
    assert due(live) == (
        NOW_MS + LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms,
        (Trouble.UNHEARD, Remedy.RESUME),
    )


@pytest.mark.parametrize("turns", [TurnTaking(5_000), TurnTaking(5_000, detection="ours")])
def test_nothing_is_done_before_the_silence_that_ends_a_turn_is_over(turns: TurnTaking) -> None:
    live = Liveness(silent(), turns=turns)
    live.caller_spoke(NOW_MS, SPEECH_MS)
    at_ms, what = due(live)
    assert what is not None
    assert what[0] is Trouble.UNHEARD
    assert at_ms > NOW_MS + turns.silence_ms


def test_an_empty_turn_is_asked_about_only_when_the_callers_turn_is_over() -> None:
    live = Liveness(silent(), turns=TurnTaking(2_000))
    live.caller_spoke(NOW_MS - 500, SPEECH_MS)
    live.caller_finished(NOW_MS)
    live.caller_spoke(NOW_MS, SPEECH_MS)
    live.closed("", spoke=False)
    assert due(live) == (NOW_MS + 2_000, (Trouble.EMPTY_TURN, Remedy.NUDGE))


def test_what_was_longer_than_a_cough_is_asked_about_before_it_is_sent_again(
    live: Liveness,
) -> None:
    live.caller_spoke(NOW_MS, QUESTION_MS)
    assert due(live) == (NOW_MS + DEFAULT_TURNS.told_ms, (Trouble.UNHEARD, Remedy.END_AUDIO))
    at_ms, what = due(live)
    assert what == (Trouble.UNHEARD, Remedy.NUDGE)
    live.nudged(at_ms)
    assert due(live) == (at_ms + NUDGE_LIMIT_MS, (Trouble.NO_REPLY, Remedy.RESUME))


def test_a_click_is_no_speech(live: Liveness) -> None:
    live.caller_spoke(NOW_MS, SPEECH_MS - 20)
    assert live.deadline_ms(0) is None


def test_who_is_heard_over_the_agent_is_not_taken_for_unheard_before_it_has_finished(
    live: Liveness,
) -> None:
    said(live, NOW_MS, 20_000)
    live.closed("", spoke=True)
    live.caller_spoke(NOW_MS + 1_000, SPEECH_MS)
    assert live.deadline_ms(0) == NOW_MS + 20_000 + DEFAULT_TURNS.told_ms


def test_somebody_who_speaks_on_and_on_puts_an_answer_off_for_a_while_only(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    for now_ms in range(NOW_MS, NOW_MS + 20_000, 20):
        live.caller_spoke(now_ms, 20)
    most_ms = LEAST_PATIENCE_MS + SPOKEN_ON_MS + DEFAULT_TURNS.silence_ms
    assert live.deadline_ms(0) == NOW_MS + most_ms


def test_a_turn_that_is_never_closed_is_left_once_it_was_heard(live: Liveness) -> None:
    said(live, NOW_MS, 3_000)
    said(live, NOW_MS + 200, 3_000)
    live.replied(audible=True)
    at_ms, what = due(live)
    assert at_ms == NOW_MS + 6_000 + STALL_LIMIT_MS
    assert what == (Trouble.OPEN_TURN, Remedy.RESUME)


def test_a_handle_shows_that_no_turn_is_open(live: Liveness) -> None:
    said(live, NOW_MS, 3_000)
    live.resumable()
    assert live.deadline_ms(0) is None


def test_an_interrupted_turn_is_not_waited_for(live: Liveness) -> None:
    said(live, NOW_MS, 3_000)
    live.interrupted(NOW_MS)
    assert live.deadline_ms(0) is None


def test_what_is_cut_is_not_heard_any_longer(live: Liveness) -> None:
    said(live, NOW_MS, 60_000)
    live.interrupted(NOW_MS)
    live._playing.stop(NOW_MS + 1_000)
    live.caller_finished(NOW_MS + 2_000)
    assert live.deadline_ms(0) == NOW_MS + 2_000 + LEAST_PATIENCE_MS


def test_an_empty_turn_is_told_at_once(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    live.closed("", spoke=False)
    assert live.due(NOW_MS, 0) == (Trouble.EMPTY_TURN, Remedy.NUDGE)


def test_a_turn_that_closes_where_nothing_was_asked_is_nothing(live: Liveness) -> None:
    live.closed("", spoke=False)
    assert live.deadline_ms(0) is None


def test_a_rejected_response_is_asked_for_again(live: Liveness) -> None:
    said(live, NOW_MS, 100)
    live.closed("RESPONSE_REJECTED", spoke=True)
    assert live.due(NOW_MS, 0) == (Trouble.REJECTED, Remedy.NUDGE)


def test_a_model_that_wants_more_input_is_let(live: Liveness) -> None:
    said(live, NOW_MS, 100)
    live.closed("NEED_MORE_INPUT", spoke=True)
    assert live.deadline_ms(0) is None


def test_a_reply_without_sound_is_none(live: Liveness) -> None:
    said(live, NOW_MS, 3_000)
    live.replied(audible=False)
    assert live.due(NOW_MS, 0) == (Trouble.NO_SOUND, Remedy.NUDGE)


def test_without_a_session_nothing_is_owed(live: Liveness) -> None:
    live.caller_finished(NOW_MS)
    live.stopped()
    assert live.deadline_ms(0) is None
    assert live.due(AFTER_ALL_MS, 0) is None


def test_a_text_wants_an_answer_though_the_agent_is_still_heard(live: Liveness) -> None:
    said(live, NOW_MS, 20_000)
    live.closed("", spoke=True)
    live.asked(NOW_MS + 1_000)
    assert live.deadline_ms(0) == NOW_MS + 1_000 + LEAST_PATIENCE_MS


def test_a_caller_who_spoke_while_the_agent_is_heard_may_want_none(live: Liveness) -> None:
    said(live, NOW_MS, 20_000)
    live.closed("", spoke=True)
    live.caller_finished(NOW_MS + 1_000)
    assert live.deadline_ms(0) == NOW_MS + 20_000


def test_a_model_that_says_again_what_was_said_is_waited_for(live: Liveness) -> None:
    live.asked(NOW_MS)
    live.stirs(NOW_MS + 2_000)
    assert live.deadline_ms(0) == NOW_MS + 2_000 + LEAST_PATIENCE_MS


def test_audio_that_is_taken_back_is_not_waited_for(live: Liveness) -> None:
    said(live, NOW_MS, 20_000)
    live._playing.taken_back(3_000)
    assert live.deadline_ms(0) == NOW_MS + 17_000 + STALL_LIMIT_MS
