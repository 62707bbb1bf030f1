"""How a call begins, changes streams and workers, and ends. What is said: test_machine.py."""

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import CloseModel, OpenModel, SaveCheckpoint
from agent.conversation.events import (
    Interrupted,
    ReplyAudio,
    SessionRefused,
    TurnComplete,
)
from agent.conversation.link import OPENING_LIMIT_MS
from agent.conversation.transcript import Line
from telephony.call.commands import CloseStream, Command, EndCall, SendClear, SendMark, SendMedia
from telephony.call.downlink import FIRST_MESSAGE_MS, MESSAGE_MS
from telephony.call.ending import TERMINAL_STATUSES, EndedReason
from telephony.call.events import (
    CallStatus,
    OwnershipLost,
    StreamEnded,
    Tick,
)
from telephony.call.presence import (
    MEDIA_LIMIT_MS,
    PARKED_LIMIT_MS,
    STOP_GRACE_MS,
    WAITING_LIMIT_MS,
    Phase,
)
from telephony.call.waiting import SOUND_AFTER_MS
from telephony.twilio.messages import Mark, Media, Stop
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, PickUp, of, speech

WORDS = "one two three four five six seven eight nine ten"
CLOSED = StreamEnded("MZ1", "close")


def ended(commands: list[Command]) -> list[tuple[str, bool]]:
    return [(command.reason, command.final) for command in of(EndCall, commands)]


# Waiting.


def test_a_session_that_no_stream_follows_is_let_go(phone: Phone) -> None:
    phone.ready()
    assert phone.wait(WAITING_LIMIT_MS - 1) == []
    done = phone.wait(1)
    assert of(CloseModel, done) == [CloseModel(phone.session)]
    assert ended(done) == [("not_attached", False)]
    assert of(SaveCheckpoint, phone.commands) == []


def test_a_model_that_refuses_for_good_ends_the_call(phone: Phone) -> None:
    phone.starts()
    done = phone.tells(lambda session: SessionRefused(session, 403, "key"))
    assert of(CloseStream, done) == [CloseStream("MZ1")]
    assert ended(done) == [("model_refused", True)]


# The stream is lost.


def test_after_stop_the_caller_has_hung_up_within_two_seconds(greeted: Phone) -> None:
    assert of(CloseStream, greeted.step(Stop("MZ1"))) == []
    assert of(EndCall, greeted.wait(STOP_GRACE_MS - 1)) == []
    assert ended(greeted.wait(1)) == [("caller_hangup", True)]


def test_a_call_that_twilio_says_goes_on_after_a_stop_waits_for_its_next_stream(
    greeted: Phone,
) -> None:
    greeted.step(Stop("MZ1"), CLOSED)
    greeted.wait(STOP_GRACE_MS - 1)
    assert greeted.step(CallStatus("in-progress")) == []
    assert of(EndCall, greeted.wait(4_000)) == []
    greeted.starts("MZ2", epoch=2)
    assert greeted.call.phase is Phase.STREAMING
    assert of(CloseModel, greeted.commands) == []


def test_a_call_that_goes_on_after_a_stop_may_do_so_elsewhere(greeted: Phone) -> None:
    greeted.step(Stop("MZ1"), CallStatus("in-progress"))
    assert of(EndCall, greeted.wait(PARKED_LIMIT_MS - 1)) == []
    assert ended(greeted.wait(1)) == [("stream_lost", False)]


def test_who_hangs_up_while_the_call_comes_back_after_a_stop_has_hung_up(greeted: Phone) -> None:
    greeted.step(Stop("MZ1"), CallStatus("in-progress"))
    assert ended(greeted.step(CallStatus("completed"))) == [("caller_hangup", True)]


def test_a_call_that_broke_off_and_does_not_come_back_was_cut_off(greeted: Phone) -> None:
    greeted.step(StreamEnded("MZ1", "broken"), CallStatus("in-progress"))
    assert ended(greeted.step(CallStatus("completed"))) == [("cut_off", True)]


def test_after_any_other_end_the_call_may_come_back_elsewhere(greeted: Phone) -> None:
    greeted.step(CLOSED)
    assert of(EndCall, greeted.wait(PARKED_LIMIT_MS - 1)) == []
    assert ended(greeted.wait(1)) == [("stream_lost", False)]


def test_a_stop_behind_the_close_still_means_that_the_caller_hung_up(greeted: Phone) -> None:
    greeted.step(CLOSED, Stop("MZ1"))
    assert ended(greeted.wait(STOP_GRACE_MS)) == [("caller_hangup", True)]


def test_the_close_behind_a_stop_changes_nothing(greeted: Phone) -> None:
    greeted.step(Stop("MZ1"), CLOSED)
    assert ended(greeted.wait(STOP_GRACE_MS)) == [("caller_hangup", True)]


@pytest.mark.parametrize("how", ["status", "stuck", "broken"])
def test_a_stream_that_others_call_dead_is_closed(greeted: Phone, how: str) -> None:
    done = greeted.step(StreamEnded("MZ1", how))
    assert of(CloseStream, done) == [CloseStream("MZ1")]
    assert greeted.call.phase is Phase.PARKED


def test_ten_seconds_without_media_close_the_stream(greeted: Phone) -> None:
    greeted.says(SILENCE, 1_000)
    assert of(CloseStream, greeted.wait(MEDIA_LIMIT_MS - 1)) == []
    assert of(CloseStream, greeted.wait(1)) == [CloseStream("MZ1")]
    assert ended(greeted.wait(PARKED_LIMIT_MS)) == [("stream_lost", False)]


def test_media_keep_the_stream_alive(greeted: Phone) -> None:
    for _ in range(5):
        greeted.step(Media("MZ1", SILENCE, greeted.now_ms))
        greeted.wait(MEDIA_LIMIT_MS - 1)
    assert greeted.call.phase is Phase.STREAMING


def test_the_end_of_an_old_stream_does_not_touch_the_new_one(greeted: Phone) -> None:
    greeted.step(CLOSED)
    greeted.starts("MZ2", epoch=2)
    assert greeted.step(StreamEnded("MZ1", "status"), Stop("MZ1")) == []
    assert greeted.call.phase is Phase.STREAMING


def test_a_stream_in_place_of_a_living_one_closes_that(greeted: Phone) -> None:
    done = greeted.starts("MZ2", epoch=2)
    assert of(CloseStream, done) == [CloseStream("MZ1")]
    assert greeted.checkpoint.epoch == 2


def test_a_new_stream_goes_on_from_what_was_heard_of_the_reply(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.plays(300)
    greeted.step(CLOSED)
    greeted.wait(700)
    done = greeted.starts("MZ2", epoch=2)
    assert [len(c.ulaw) // 8 for c in of(SendMedia, done)] == [FIRST_MESSAGE_MS, *[MESSAGE_MS] * 3]
    greeted.plays_out()
    on_the_first = sum(
        len(c.ulaw) // 8
        for c in of(SendMedia, greeted.commands)
        if (c.reply, c.stream_sid) == (2, "MZ1")
    )
    assert greeted.sent_ms(2) == 3_000 - 300 + on_the_first
    assert greeted.lines[-1] == ("agent", WORDS, WORDS)


def test_a_barge_in_on_the_new_stream_cuts_at_what_both_streams_played(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.plays(600)
    greeted.step(CLOSED)
    greeted.starts("MZ2", epoch=2)
    greeted.plays(600)
    assert of(SendClear, greeted.tells(Interrupted)) == [SendClear("MZ2")]
    assert greeted.lines[-1] == ("agent", WORDS, "one two three four")


def test_where_no_mark_shows_what_was_heard_nothing_is_left_out(greeted: Phone) -> None:
    """By the clock alone a part of it was heard, which began to run when it was sent."""
    greeted.replies("Yes.", 300)
    greeted.wait(100)
    greeted.step(CLOSED)
    again = of(SendMedia, greeted.starts("MZ2", epoch=2))
    assert sum(len(c.ulaw) for c in again) == 300 * 8


def test_marks_of_the_old_stream_are_not_heard_on_the_new_one(greeted: Phone) -> None:
    greeted.replies("Yes.", 300)
    old = list(greeted.marks)
    greeted.step(CLOSED)
    greeted.starts("MZ2", epoch=2)
    greeted.step(*(Mark("MZ1", name) for name in old), *(Mark("MZ2", name) for name in old))
    assert len(greeted.lines) == 1
    greeted.plays_out()
    assert greeted.lines[1:] == [("agent", "Yes.", "Yes.")]


def test_nothing_is_sent_while_there_is_no_stream(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.step(CLOSED)
    done = greeted.tells(lambda session: ReplyAudio(session, speech(500)))
    done += greeted.wait(5_000)
    assert not any(isinstance(command, SendMedia | SendMark | SendClear) for command in done)


def test_a_reply_interrupted_while_the_stream_is_away_is_not_taken_up_again(
    greeted: Phone,
) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.wait(430)
    greeted.step(CLOSED)
    greeted.tells(Interrupted, TurnComplete)
    assert of(SendMedia, greeted.starts("MZ2", epoch=2)) == []
    assert greeted.lines[-1] == ("agent", WORDS, "one two")


def test_the_model_stays_while_the_stream_is_away(greeted: Phone) -> None:
    greeted.step(CLOSED)
    done = greeted.wait(PARKED_LIMIT_MS - 1)
    done += greeted.starts("MZ2", epoch=2)
    assert not any(isinstance(command, OpenModel | CloseModel) for command in done)
    assert len(greeted.cues) == 1


def test_a_lost_stream_leaves_a_checkpoint(greeted: Phone) -> None:
    greeted.wait(1_234)
    greeted.step(CLOSED)
    assert greeted.checkpoint.elapsed_ms == greeted.now_ms


# Another worker.


def test_the_next_worker_takes_over_a_greeted_caller_without_a_second_greeting(
    greeted: Phone, pick_up: PickUp
) -> None:
    other = pick_up(greeted.checkpoint, greeted.call.conversation.lines)
    other.ready()
    other.starts("MZ2", epoch=2)
    assert other.cues == []
    assert other.checkpoint.greeted
    assert other.checkpoint.epoch == 2


def test_the_next_worker_answers_what_the_caller_said_last(pick_up: PickUp) -> None:
    lines = (Line(1, "agent", "Hello.", "Hello.", 0, 1), Line(2, "caller", "Hm?", "Hm?", 900, 1))
    other = pick_up(Checkpoint(1, 2_000, 1_699_999_999_000, True, "", 0), lines)
    other.starts("MZ2", epoch=2)
    other.ready()
    assert len(other.cues) == 1
    assert "last" in other.cues[0]


def test_a_call_that_another_worker_took_is_let_go_without_a_word(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    done = greeted.step(OwnershipLost(2))
    assert of(SendClear, done) == []
    assert of(CloseStream, done) == [CloseStream("MZ1")]
    assert of(CloseModel, done) == [CloseModel(greeted.session)]
    assert ended(done) == [("taken_over", False)]


# The end.


@pytest.mark.parametrize("status", sorted(TERMINAL_STATUSES))
def test_a_call_that_twilio_calls_over_is_over(greeted: Phone, status: str) -> None:
    assert ended(greeted.step(CallStatus(status))) == [("caller_hangup", True)]


@pytest.mark.parametrize(
    ("how", "reason"), [("broken", "cut_off"), ("close", "caller_hangup"), ("stuck", "cut_off")]
)
def test_a_call_that_is_over_after_its_stream_was_lost_was_cut_off(
    greeted: Phone, how: str, reason: str
) -> None:
    greeted.step(StreamEnded("MZ1", how))
    assert ended(greeted.step(CallStatus("completed"))) == [(reason, True)]


def test_a_stop_behind_the_loss_means_that_the_caller_hung_up(greeted: Phone) -> None:
    greeted.step(StreamEnded("MZ1", "broken"), Stop("MZ1"))
    assert ended(greeted.step(CallStatus("completed"))) == [("caller_hangup", True)]


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress"])
def test_any_other_status_changes_nothing(greeted: Phone, status: str) -> None:
    assert greeted.step(CallStatus(status)) == []


def test_the_end_is_the_last_command_and_nothing_comes_after_it(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.wait(430)
    done = greeted.step(CallStatus("completed"))
    assert done[-1] == EndCall(EndedReason.CALLER_HANGUP, final=True)
    assert greeted.lines[-1] == ("agent", WORDS, "one two")
    assert greeted.call.deadline_ms() is None
    assert greeted.step(Tick(), Media("MZ1", VOICE, 20), CallStatus("completed")) == []


def test_a_call_is_never_without_a_deadline_before_its_end(phone: Phone) -> None:
    assert phone.call.deadline_ms() == OPENING_LIMIT_MS < WAITING_LIMIT_MS
    phone.starts()
    assert phone.call.deadline_ms() == SOUND_AFTER_MS
    phone.ready()
    assert phone.call.deadline_ms() is not None
    phone.step(CLOSED)
    assert phone.call.deadline_ms() == PARKED_LIMIT_MS
