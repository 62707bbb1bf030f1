"""Of a reply that waits behind one that is heard, the rest is dropped and the other is heard on."""

from collections.abc import Callable

import pytest

from agent.conversation.commands import OpenModel
from agent.conversation.events import (
    AgentSaid,
    GenerationComplete,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    TurnComplete,
)
from telephony.call.commands import Command, SendClear
from telephony.call.downlink import LEAD_MS, MESSAGE_MS
from telephony.call.events import StreamEnded
from tests.telephony.call.conftest import Phone, of, speech

WORDS = "one two three four five six seven eight nine ten"
BEGINNING_MS = 250


@pytest.fixture
def talking(greeted: Phone) -> Phone:
    """Reply 2 of 3 s has been heard for 1 s; its turn is closed."""
    greeted.replies(WORDS, 3_000)
    greeted.tells(TurnComplete)
    greeted.plays(1_000)
    return greeted


def lost(session: int) -> ModelEvent:
    return SessionLost(session, 1006, "reset")


def says_nothing(phone: Phone) -> list[Command]:
    """Reply 3 is 600 ms of silence."""

    def silence(session: int) -> ModelEvent:
        return ReplyAudio(session, bytes(48 * 600))

    return phone.tells(silence, GenerationComplete, TurnComplete)


def breaks_off(phone: Phone) -> list[Command]:
    """Of reply 3 a beginning comes, before its session is lost; reply 4 says it anew."""

    def beginning(session: int) -> ModelEvent:
        return ReplyAudio(session, speech(BEGINNING_MS))

    done = phone.tells(lambda session: AgentSaid(session, "Anything"), beginning, lost)
    assert of(OpenModel, done)
    return done + phone.ready() + anew(phone)


def anew(phone: Phone) -> list[Command]:
    return phone.replies("Anything else?", 1_000) + phone.tells(TurnComplete)


def spoken(phone: Phone) -> list[tuple[str, str]]:
    """The agent's lines since the greeting: what it said, and what was heard."""
    return [(text, heard) for role, text, heard in phone.lines if role == "agent"][1:]


@pytest.mark.parametrize("later", [says_nothing, breaks_off])
def test_a_reply_that_is_heard_is_not_cut_by_the_end_of_a_later_one(
    talking: Phone, later: Callable[[Phone], list[Command]]
) -> None:
    assert of(SendClear, later(talking)) == []
    talking.plays_out()
    assert spoken(talking)[0] == (WORDS, WORDS)
    assert talking.sent_ms(2) == 3_000
    assert talking.sent_ms(3) == 0


def test_what_is_said_anew_is_heard_right_behind_what_was_heard_on(talking: Phone) -> None:
    breaks_off(talking)
    talking.plays_out()
    heard = [(WORDS, WORDS), ("Anything", ""), ("Anything else?", "Anything else?")]
    assert spoken(talking) == heard
    assert talking.sent_ms(4) == 1_000


def test_of_a_later_reply_what_twilio_holds_already_is_heard(talking: Phone) -> None:
    talking.plays(1_800)
    assert of(SendClear, breaks_off(talking)) == []
    sent_ms = talking.sent_ms(3)
    talking.plays_out()
    assert 0 < talking.sent_ms(3) == sent_ms <= LEAD_MS + MESSAGE_MS
    assert [text for text, _ in spoken(talking)] == [WORDS, "Anything", "Anything else?"]
    assert [heard for _, heard in spoken(talking)] == [WORDS, "Anything", "Anything else?"]


def test_silence_that_twilio_holds_already_puts_off_the_next_reply_and_cuts_nothing(
    talking: Phone,
) -> None:
    talking.plays(1_800)
    done = says_nothing(talking) + anew(talking)
    assert of(SendClear, done) == []
    talking.plays_out()
    assert talking.sent_ms(3) <= LEAD_MS + MESSAGE_MS
    assert [heard for _, heard in spoken(talking)] == [WORDS, "Anything else?"]


def test_what_twilio_lost_of_a_dropped_reply_is_not_sent_again(talking: Phone) -> None:
    talking.plays(1_800)
    breaks_off(talking)
    sent_ms = talking.sent_ms(3)
    talking.step(StreamEnded("MZ1", "close"))
    talking.starts("MZ2", 2)
    talking.plays_out()
    assert talking.sent_ms(3) == sent_ms
    assert spoken(talking)[0] == (WORDS, WORDS)
    assert spoken(talking)[1] == ("Anything", "")
    assert spoken(talking)[2] == ("Anything else?", "Anything else?")
