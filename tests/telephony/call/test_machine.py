"""One call: how it begins, what Twilio is sent, and what was heard of it."""

import pytest

from agent.conversation.commands import (
    AppendLine,
    OpenModel,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
)
from agent.conversation.events import (
    CallerSaid,
    GenerationComplete,
    HandleUpdated,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.turns import Floor
from telephony.call.commands import EndCall, SendMark, SendMedia
from telephony.call.downlink import FIRST_MESSAGE_MS, LEAD_MS, MESSAGE_MS
from telephony.call.events import CallStatus, Event, LinesStored, StoreAway, StoreBack, Tick
from telephony.call.playout import LOST_MARK_MS
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media
from tests.telephony.call.conftest import VOICE, Phone, of, speech

WORDS = "one two three four five six seven eight nine ten"


# The beginning.


def test_the_model_is_dialled_before_the_stream_is_there(phone: Phone) -> None:
    assert phone.commands == [OpenModel(1, DEFAULT_PERSONA)]


@pytest.mark.parametrize("stream_first", [True, False])
def test_the_cue_goes_out_at_the_later_of_stream_and_session(
    phone: Phone, stream_first: bool
) -> None:
    first, second = (phone.starts, phone.ready) if stream_first else (phone.ready, phone.starts)
    assert of(SayToModel, first()) == []
    assert of(SayToModel, second()) == [SayToModel(phone.session, DEFAULT_PERSONA.greeting_cue)]


def test_a_slow_session_loses_none_of_the_callers_first_words(phone: Phone) -> None:
    phone.starts()
    assert of(SendCallerAudio, phone.says(VOICE, 3_000)) == []
    held = of(SendCallerAudio, phone.ready())
    assert abs(sum(len(c.pcm) for c in held) - 3_000 * 32) <= 2 * 32
    assert not any(c.live for c in held)
    assert all(c.live for c in of(SendCallerAudio, phone.says(VOICE, 200)))


# The lead.


def test_the_first_message_is_small_and_the_lead_is_full_at_once(greeted: Phone) -> None:
    done = greeted.tells(lambda session: ReplyAudio(session, speech(5_000)))
    assert [len(c.ulaw) // 8 for c in of(SendMedia, done)] == [FIRST_MESSAGE_MS, *[MESSAGE_MS] * 3]


def test_twilio_holds_600_to_800_ms_while_there_is_more(greeted: Phone) -> None:
    greeted.replies(WORDS, 5_000)
    held = []
    while (sent_ms := greeted.sent_ms(2)) < 5_000:
        deadline_ms = greeted.call.deadline_ms()
        assert deadline_ms is not None
        greeted.wait(deadline_ms - greeted.now_ms)
        if greeted.sent_ms(2) > sent_ms:  # and not only silence for the model
            held.append(greeted.played_at_ms - greeted.now_ms)
        while greeted.marks and greeted.due_ms[greeted.marks[0]] <= greeted.now_ms:
            greeted.echoes()
    assert len(held) > 15
    assert all(LEAD_MS <= ms <= LEAD_MS + MESSAGE_MS for ms in held)


def test_a_mark_comes_about_every_200_ms_and_at_the_end(greeted: Phone) -> None:
    done = greeted.replies(WORDS, 600)
    between = [0]
    for command in done:
        if isinstance(command, SendMedia):
            between[-1] += len(command.ulaw) // 8
        elif isinstance(command, SendMark):
            between.append(0)
    first = FIRST_MESSAGE_MS + MESSAGE_MS
    assert between == [first, MESSAGE_MS, 600 - first - MESSAGE_MS, 0]


def test_marks_of_a_reply_do_not_multiply_behind_an_earlier_one(greeted: Phone) -> None:
    greeted.replies("Yes.", 300)
    greeted.tells(TurnComplete)
    done = greeted.tells(lambda session: ReplyAudio(session, speech(120)))
    assert [len(c.ulaw) // 8 for c in of(SendMedia, done)] == [
        FIRST_MESSAGE_MS,
        100 - FIRST_MESSAGE_MS,
    ]
    assert of(SendMark, done) == []


def test_the_end_of_a_reply_is_marked_also_where_it_was_sent_before_it_ended(
    greeted: Phone,
) -> None:
    greeted.tells(lambda session: ReplyAudio(session, speech(100)))
    done = greeted.tells(GenerationComplete)
    assert isinstance(done[-1], SendMark | SendMedia)
    assert len(of(SendMark, done)) == 1
    assert greeted.sent_ms(2) == 100


def test_the_agents_turn_ends_when_its_last_mark_returns(greeted: Phone) -> None:
    greeted.replies("Yes.", 300)
    greeted.tells(TurnComplete)
    greeted.wait(300)
    held = [greeted.floor]
    greeted.echoes(2)
    assert [*held, greeted.floor] == [Floor.AGENT, Floor.CALLER]
    assert greeted.lines[-1] == ("agent", "Yes.", "Yes.")


def test_a_lost_mark_holds_the_turn_no_longer_than_it_must(greeted: Phone) -> None:
    greeted.replies("Yes.", 300)
    greeted.wait(300 + LOST_MARK_MS - 1)
    assert len(greeted.lines) == 1
    greeted.wait(1)
    assert greeted.lines[1:] == [("agent", "Yes.", "Yes.")]


def test_two_replies_are_heard_one_after_the_other(greeted: Phone) -> None:
    greeted.tells(lambda session: ReplyAudio(session, speech(900)), GenerationComplete)
    greeted.tells(TurnComplete)
    greeted.tells(lambda session: ReplyAudio(session, speech(900)), GenerationComplete)
    greeted.plays_out()
    order = [c.reply for c in of(SendMedia, greeted.commands)]
    assert order == sorted(order)
    assert greeted.sent_ms(2) == greeted.sent_ms(3) == 900
    assert greeted.floor is Floor.CALLER


def test_a_greeting_of_which_marks_show_300_ms_counts_as_given(phone: Phone) -> None:
    phone.starts()
    phone.ready()
    phone.replies("Hello.", 700)
    phone.wait(FIRST_MESSAGE_MS + MESSAGE_MS)
    phone.echoes()
    assert not phone.checkpoint.greeted
    phone.wait(MESSAGE_MS)
    phone.echoes()
    assert phone.checkpoint.greeted


# What is no business of the machine's.


def test_store_notices_keys_and_malformed_messages_change_nothing(greeted: Phone) -> None:
    quiet: list[Event] = [
        LinesStored(1), StoreAway(), StoreBack(), Dtmf("MZ1", "5"), Malformed("not JSON"),
        Mark("MZ1", "never sent"), Media("MZ0", VOICE, 20), Tick(),
    ]  # fmt: skip
    assert greeted.step(*quiet) == []


def test_every_final_line_is_stored_once_and_in_order(greeted: Phone) -> None:
    greeted.tells(lambda session: CallerSaid(session, "A room?"))
    greeted.replies("Yes.", 300)
    greeted.tells(TurnComplete, lambda session: HandleUpdated(session, "h1", resumable=True))
    greeted.plays_out()
    stored = [command.line for command in of(AppendLine, greeted.commands)]
    assert [(line.n, line.text) for line in stored] == [(1, "Hello."), (2, "A room?"), (3, "Yes.")]


def test_what_is_stored_comes_after_what_is_heard_and_the_end_of_the_call_last(
    phone: Phone,
) -> None:
    phone.starts()
    done = phone.ready() + phone.step(CallStatus("completed"))
    kinds = [type(command) for command in done]
    assert kinds.index(SayToModel) < kinds.index(SaveCheckpoint)
    assert kinds[-2:] == [SaveCheckpoint, EndCall]
