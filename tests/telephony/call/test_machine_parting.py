"""A call comes to its end by itself: the caller says nothing, or it has lasted too long."""

from dataclasses import replace

import pytest

from agent.conversation.built_in_tools import ENDS_CALL
from agent.conversation.commands import SayToModel
from agent.conversation.events import (
    CallerSaid,
    Interrupted,
    ModelEvent,
    SessionLost,
    TurnComplete,
)
from agent.conversation.parting import GOODBYE_WITHIN_MS, PAUSE_WITHIN_MS
from agent.conversation.persona import DEFAULT_PERSONA, words_of
from agent.conversation.tool_events import ToolCalled
from telephony.call.commands import CloseStream, Command, EndCall, SendMedia
from telephony.call.ending import EndedReason
from telephony.call.waiting import SOUND_AFTER_MS
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, of

LIMITED = replace(
    DEFAULT_PERSONA, minutes=2.0, silence_s=20.0, goodbye="Time is up.", still_there="Hello?"
)
SILENCE_MS = 20_000
LENGTH_MS = 120_000


@pytest.fixture
def limited() -> Phone:
    """A call whose greeting was heard."""
    return greeted(Phone(persona=LIMITED))


def greeted(phone: Phone) -> Phone:
    phone.starts()
    phone.ready()
    replies(phone, "Hello.", 1_000)
    return phone


def replies(phone: Phone, text: str, ms: int) -> list[Command]:
    """A whole turn of the agent, heard to its end."""
    return phone.replies(text, ms) + phone.tells(TurnComplete) + phone.plays_out()


def asked(commands: list[Command]) -> list[str | None]:
    """The words that the agent was told to say."""
    return [words_of(command.text) for command in of(SayToModel, commands)]


def lost(session: int) -> ModelEvent:
    return SessionLost(session, 1006, "reset")


def ended(commands: list[Command]) -> list[str]:
    return [command.reason for command in of(EndCall, commands)]


def says_nothing(phone: Phone) -> list[Command]:
    greeted(phone)
    done = phone.says(SILENCE, SILENCE_MS)
    done += replies(phone, "Hello?", 500)
    return done + phone.says(SILENCE, SILENCE_MS)


def lasts(phone: Phone) -> list[Command]:
    greeted(phone)
    done: list[Command] = []
    while not of(SayToModel, done):
        done += phone.says(VOICE, 1_000)
        done += phone.tells(lambda session: CallerSaid(session, "And so on."))
        done += replies(phone, "Yes?", 1_000)
    return done + replies(phone, "Time is up.", 1_000)


def test_a_caller_who_says_nothing_is_asked_once_and_then_the_call_ends() -> None:
    done = says_nothing(Phone(persona=LIMITED))
    assert asked(done) == ["Hello?"]
    assert ended(done) == [EndedReason.SILENCE]
    assert len(of(CloseStream, done)) == 1


def test_the_silence_counts_from_the_last_word_that_was_heard(limited: Phone) -> None:
    assert asked(limited.says(SILENCE, SILENCE_MS - 1_000)) == []
    limited.says(VOICE, 1_000)
    limited.tells(lambda session: CallerSaid(session, "A question."))
    limited.says(SILENCE, 1_000)
    replies(limited, "An answer.", 3_000)
    assert asked(limited.says(SILENCE, SILENCE_MS - 40)) == []
    assert asked(limited.says(SILENCE, 40)) == ["Hello?"]


def test_a_caller_who_answers_may_be_silent_again(limited: Phone) -> None:
    for _ in range(3):
        assert asked(limited.says(SILENCE, SILENCE_MS)) == ["Hello?"]
        replies(limited, "Hello?", 500)
        limited.says(VOICE, 1_000)
        limited.tells(lambda session: CallerSaid(session, "Yes, I am."))
        replies(limited, "Good.", 500)
    assert ended(limited.commands) == []


def test_a_caller_who_waits_for_an_answer_is_not_asked(limited: Phone) -> None:
    limited.says(VOICE, 1_000)
    limited.tells(lambda session: CallerSaid(session, "A question."))
    done = limited.says(SILENCE, 3_000)
    assert asked(done) == []


def test_a_long_call_ends_after_the_goodbye_was_heard() -> None:
    phone = Phone(persona=LIMITED)
    done = lasts(phone)
    assert asked(done) == ["Time is up."]
    assert ended(done) == [EndedReason.LIMIT]
    assert LENGTH_MS <= phone.now_ms <= LENGTH_MS + 6_000


def test_the_goodbye_waits_for_a_pause_but_not_for_ever() -> None:
    phone = greeted(Phone(persona=replace(LIMITED, silence_s=0)))
    phone.says(SILENCE, LENGTH_MS - phone.now_ms - 1_000)
    phone.replies("All.", 60_000)
    assert asked(phone.says(SILENCE, PAUSE_WITHIN_MS)) == []
    assert asked(phone.says(SILENCE, 2_000)) == ["Time is up."]


def test_a_goodbye_that_does_not_come_ends_the_call_all_the_same() -> None:
    phone = greeted(Phone(persona=replace(LIMITED, silence_s=0)))
    assert asked(phone.says(SILENCE, LENGTH_MS - phone.now_ms + 20)) == ["Time is up."]
    assert ended(phone.says(SILENCE, GOODBYE_WITHIN_MS)) == [EndedReason.LIMIT]


def test_a_goodbye_that_takes_too_long_to_be_heard_is_cut_and_stored() -> None:
    phone = greeted(Phone(persona=replace(LIMITED, silence_s=0)))
    phone.says(SILENCE, LENGTH_MS - phone.now_ms + 20)
    phone.replies("one two three four five six seven eight nine ten", 2 * GOODBYE_WITHIN_MS)
    done = phone.plays(2 * GOODBYE_WITHIN_MS)
    assert ended(done) == [EndedReason.LIMIT]
    assert len(of(CloseStream, done)) == 1
    assert phone.lines[-1][2] == "one two three four five"


def test_a_caller_who_talks_over_the_goodbye_ends_the_call() -> None:
    phone = greeted(Phone(persona=replace(LIMITED, silence_s=0)))
    phone.says(SILENCE, LENGTH_MS - phone.now_ms + 20)
    phone.replies("Time is up.", 4_000)
    phone.says(SILENCE, 1_000)
    assert ended(phone.tells(Interrupted)) == [EndedReason.LIMIT]


def test_a_new_stream_begins_a_new_silence(limited: Phone) -> None:
    limited.says(SILENCE, 15_000)
    limited.starts("MZ2", 2)
    assert asked(limited.says(SILENCE, SILENCE_MS - 40)) == []
    assert asked(limited.says(SILENCE, 80)) == ["Hello?"]


def test_the_length_counts_over_workers() -> None:
    checkpoint = greeted(Phone(persona=LIMITED)).checkpoint
    later = replace(checkpoint, elapsed_ms=LENGTH_MS - 5_000)
    phone = greeted(Phone(later, persona=replace(LIMITED, silence_s=0)))
    assert asked(phone.says(SILENCE, 5_000)) == ["Time is up."]


def test_without_limits_a_call_may_be_silent_and_last() -> None:
    phone = greeted(Phone())
    assert asked(phone.says(SILENCE, LENGTH_MS)) == []
    assert ended(phone.commands) == []


def test_a_call_that_ends_while_its_caller_waits_sends_no_sound_after_its_stream() -> None:
    phone = Phone(persona=replace(DEFAULT_PERSONA, tools=(ENDS_CALL,)))
    phone.greets()
    phone.replies("Goodbye.", 400)
    phone.tells(lambda session: ToolCalled(session, "t1", ENDS_CALL.name, "{}"), TurnComplete)
    phone.tells(lost)
    phone.now_ms += 400 + SOUND_AFTER_MS  # so late comes the last mark, and no other before it
    phone.marks = phone.marks[-1:]
    done = phone.echoes()
    assert ended(done) == [EndedReason.AGENT_HANGUP]
    assert of(SendMedia, done) == []
