"""How much the caller has heard: marks are exact, the clock fills in between."""

import pytest

from telephony.call.playout import FLUSHED_MS, LOST_MARK_MS, MARK_GRACE_MS, Playout

MS = 8
"""Samples."""


@pytest.fixture
def playout() -> Playout:
    """A stream on which nothing was sent yet."""
    return Playout()


def test_on_a_new_stream_nothing_is_heard_held_or_due(playout: Playout) -> None:
    assert playout.heard_samples(1, 5_000) == 0
    assert playout.queued_samples(5_000) == 0
    assert not playout.unheard(5_000)
    assert playout.deadline_ms() is None


def test_the_clock_plays_what_was_sent_in_real_time_and_no_more(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 1_000)
    heard = [playout.heard_samples(1, at_ms) for at_ms in (1_000, 1_050, 1_200, 1_300)]
    assert heard == [0, 50 * MS, 200 * MS, 200 * MS]
    assert playout.queued_samples(1_050) == 150 * MS


def test_the_clock_alone_is_not_known(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    assert playout.known_samples(1) == 0
    playout.mark_sent("a")
    assert playout.mark_returned("a", 230)
    assert playout.known_samples(1) == 200 * MS


def test_only_a_mark_makes_the_clock_sure(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 200 * MS, 0)
    unsure = playout.stopped_at(1, 150, sure=True)
    playout.mark_returned("a", 240)
    sure = [playout.stopped_at(1, at_ms, sure=True) for at_ms in (240, 300)]
    assert [unsure, *sure] == [None, 200 * MS, 260 * MS]


def test_after_a_pause_the_clock_is_unsure_again(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    playout.mark_returned("a", 200)
    playout.sent(1, 200 * MS, 5_000)
    assert playout.stopped_at(1, 5_100, sure=True) == 200 * MS


def test_a_pause_between_sendings_is_not_played(playout: Playout) -> None:
    playout.sent(1, 100 * MS, 0)
    playout.sent(1, 100 * MS, 5_000)
    assert playout.heard_samples(1, 5_000) == 100 * MS
    assert playout.heard_samples(1, 5_040) == 140 * MS


def test_audio_sent_before_the_last_was_played_queues_behind_it(playout: Playout) -> None:
    playout.sent(1, 100 * MS, 0)
    playout.sent(1, 100 * MS, 60)
    assert playout.heard_samples(1, 150) == 150 * MS
    assert playout.queued_samples(60) == 140 * MS


def test_replies_are_counted_each_by_itself(playout: Playout) -> None:
    playout.sent(1, 100 * MS, 0)
    playout.sent(2, 100 * MS, 0)
    assert playout.heard_samples(1, 130) == 100 * MS
    assert playout.heard_samples(2, 130) == 30 * MS
    playout.forget(1)
    assert playout.heard_samples(1, 130) == 0
    assert playout.heard_samples(2, 130) == 30 * MS


def test_a_mark_that_comes_early_shows_that_more_was_heard(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 200 * MS, 0)
    playout.mark_returned("a", 150)
    assert playout.heard_samples(1, 150) == 200 * MS
    assert playout.heard_samples(1, 200) == 250 * MS


def test_the_clock_runs_only_a_little_past_a_mark_that_is_out(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 2_000 * MS, 0)
    assert playout.heard_samples(1, 60_000) == (200 + MARK_GRACE_MS) * MS
    playout.mark_returned("a", 60_000)
    assert playout.heard_samples(1, 60_000) == 200 * MS
    assert playout.heard_samples(1, 60_100) == 300 * MS


def test_while_a_mark_is_out_there_may_be_audio_at_twilio(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    assert playout.unheard(1_000)
    playout.mark_returned("a", 1_000)
    assert not playout.unheard(1_000)


def test_a_mark_stands_for_those_before_it(playout: Playout) -> None:
    for name in ("a", "b"):
        playout.sent(1, 200 * MS, 0)
        playout.mark_sent(name)
    assert playout.mark_returned("b", 400)
    assert playout.known_samples(1) == 400 * MS
    assert not playout.mark_returned("a", 410)
    assert playout.known_samples(1) == 400 * MS


def test_a_mark_that_was_never_sent_means_nothing(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    assert not playout.mark_returned("x", 10)
    assert playout.known_samples(1) == 0


def test_what_was_sent_since_the_last_mark_is_counted(playout: Playout) -> None:
    playout.sent(1, 40 * MS, 0)
    assert playout.unmarked_samples == 40 * MS
    playout.mark_sent("a")
    assert playout.unmarked_samples == 0


def test_a_clear_fixes_what_was_heard_and_empties_the_rest(playout: Playout) -> None:
    playout.sent(1, 400 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 200 * MS, 0)
    playout.clear(250)
    assert not playout.unheard(250)
    assert playout.queued_samples(250) == playout.unmarked_samples == 0
    assert playout.deadline_ms() is None


def test_marks_that_a_clear_flushed_count_as_nothing(playout: Playout) -> None:
    playout.sent(1, 600 * MS, 0)
    playout.mark_sent("a")
    playout.clear(250)
    playout.sent(2, 600 * MS, 300)
    playout.mark_sent("b")
    assert not playout.mark_returned("a", 310)
    assert playout.known_samples(2) == 0
    assert playout.heard_samples(2, 400) == 100 * MS


def test_lost_marks_are_given_up_two_seconds_after_all_should_have_been_played(
    playout: Playout,
) -> None:
    playout.sent(1, 600 * MS, 1_000)
    playout.mark_sent("a")
    due_ms = 1_600 + LOST_MARK_MS
    assert playout.deadline_ms() == due_ms
    assert not playout.expire(due_ms - 1)
    assert playout.expire(due_ms)
    assert playout.known_samples(1) == 600 * MS
    assert not playout.unheard(due_ms)
    assert playout.deadline_ms() is None
    assert not playout.expire(due_ms + 1)


def test_a_wait_for_the_queue_to_fall_ends_when_it_has_fallen(playout: Playout) -> None:
    playout.sent(1, 800 * MS, 1_000)
    at_ms = playout.falls_to_at_ms(600 * MS)
    assert at_ms == 1_200
    assert playout.queued_samples(at_ms) == 600 * MS
    assert playout.queued_samples(at_ms - 1) > 600 * MS


def test_a_wait_that_only_a_lost_mark_could_end_is_given_up_with_it(playout: Playout) -> None:
    playout.sent(1, 100 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 2_000 * MS, 0)
    assert playout.falls_to_at_ms(0) == playout.deadline_ms()


def test_a_new_stream_begins_at_nothing(playout: Playout) -> None:
    playout.sent(1, 600 * MS, 0)
    playout.mark_sent("a")
    playout.reset()
    assert playout.heard_samples(1, 500) == 0
    assert not playout.mark_returned("a", 600)
    assert playout.queued_samples(600) == 0


def test_marks_that_a_clear_flushed_tell_how_late_it_took_effect(playout: Playout) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.mark_sent("a")
    playout.sent(1, 400 * MS, 0)
    playout.mark_sent("b")
    playout.mark_returned("a", 240)
    playout.clear(300)
    assert not playout.flushed("a")
    assert playout.flushed("b")
    assert playout.stopped_at(1, 300) == 260 * MS
    assert [playout.stopped_by(1, at_ms) for at_ms in (300, 390, 900)] == [
        260 * MS,
        340 * MS,  # whole frames after the mark
        (260 + FLUSHED_MS) * MS,  # a mark that is so late was held up somewhere
    ]


def test_before_a_mark_has_set_the_clock_what_a_clear_flushed_tells_nothing(
    playout: Playout,
) -> None:
    playout.sent(1, 400 * MS, 0)
    playout.mark_sent("a")
    playout.clear(150)
    assert playout.stopped_by(1, 240) == 150 * MS


def test_where_the_ear_is_and_how_far_it_was_differ_when_something_is_said_again(
    playout: Playout,
) -> None:
    playout.sent(1, 200 * MS, 0)
    playout.clear(150)
    playout.sent(1, 200 * MS, 1_000, at=50 * MS)
    assert playout.stopped_at(1, 1_020) == 70 * MS
    assert playout.heard_samples(1, 1_020) == 150 * MS
    assert playout.heard_samples(1, 1_180) == 230 * MS
