"""What is measured of a call, against figures that were worked out by hand."""

import pytest

from agent.conversation.events import GenerationComplete, ReplyAudio
from telephony.call.commands import (
    NO_REPLY,
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.ending import EndedReason
from telephony.call.events import Event, StreamEnded, StreamStarted, Tick
from telephony.call.figures import (
    Answered,
    Cut,
    Finding,
    Gap,
    Heard,
    HeldInVain,
    Late,
    Silence,
    TalkedOver,
)
from telephony.call.measures import Measures
from telephony.twilio.messages import Mark, Stop

OVER = EndCall(EndedReason.CALLER_HANGUP, final=True)


class Call:
    """One whose steps the test gives, from its stream at 0 on."""

    def __init__(self) -> None:
        self.measures = Measures()
        self.found: list[Finding] = []
        self.at(0, StreamStarted("MZ", 1))

    def at(self, ms: int, *steps: Event | Command) -> list[Finding]:
        """A step with these commands, after the event among them, if there is one."""
        events = [step for step in steps if isinstance(step, Event)]
        commands = [step for step in steps if not isinstance(step, Event)]
        found = self.measures.step(events[0] if events else Tick(), ms, commands)
        self.found += found
        return list(found)

    def asked(self, began_ms: int, ended_ms: int) -> MeasureSpeech:
        return MeasureSpeech(began_ms, ended_ms, ended_ms - began_ms)

    def of[T](self, kind: type[T]) -> list[T]:
        return [each for each in self.found if isinstance(each, kind)]


@pytest.fixture
def call() -> Call:
    return Call()


def media(reply: int, ms: int) -> SendMedia:
    return SendMedia("MZ", reply, b"\xff" * 8 * ms)


def mark(name: str) -> SendMark:
    return SendMark("MZ", name)


def played(name: str) -> Mark:
    return Mark("MZ", name)


def test_an_answer_takes_from_the_end_of_speech_over_its_stages_to_the_ear(call: Call) -> None:
    call.at(3_320, call.asked(1_000, 3_000))
    call.at(4_200, MeasureReply(1))
    answer = Answered(1, model_ms=1_200, sending_ms=40)
    assert call.at(4_240, media(1, 60), media(1, 200), mark("a")) == [answer]
    # 260 ms were heard by 4610, so the first of it at 4350.
    assert call.at(4_610, played("a")) == [Heard(answer, playing_ms=110)]
    assert answer.response_ms == 1_240
    assert call.of(Heard)[0].ear_to_ear_ms == 1_200 + 40 + 110 == 4_350 - 3_000
    assert call.measures.figures.short() == {
        "turns": 1,
        "response_p50_ms": 1_240,
        "response_p95_ms": 1_240,
        "heard_p50_ms": 1_350,
        "heard_p95_ms": 1_350,
        "barge_ins": 0,
        "held_in_vain": 0,
        "talked_over_ms": 0,
        "silences": 0,
        "silence_ms": 0,
        "gaps": 0,
    }


def test_a_greeting_and_what_nobody_asked_for_are_no_answers(call: Call) -> None:
    call.at(500, MeasureReply(1), media(1, 60), mark("a"))
    call.at(600, played("a"))
    call.at(1_000, call.asked(900, 1_000))  # a cough
    call.at(1_500, MeasureReply(2), media(2, 60))
    assert call.found == []
    assert call.measures.figures.turns == 2


def test_two_coughs_are_as_long_as_a_word(call: Call) -> None:
    call.at(1_000, call.asked(900, 1_000))
    call.at(1_700, call.asked(1_600, 1_700))
    assert call.at(2_000, MeasureReply(1), media(1, 60)) == [Answered(1, 300, 0)]


def test_what_a_reply_that_was_never_sent_had_to_answer_is_left_to_the_next(call: Call) -> None:
    call.at(1_000, call.asked(0, 1_000), MeasureReply(1))
    call.at(2_000, MeasureReply(2))
    assert call.at(2_010, media(2, 60)) == [Answered(2, 1_000, 10)]


def test_a_reply_that_waits_behind_another_is_sent_late_and_answers_what_came_between(
    call: Call,
) -> None:
    call.at(1_000, call.asked(0, 1_000), MeasureReply(1))
    call.at(1_300, call.asked(1_050, 1_300), MeasureReply(2))
    assert call.at(1_400, media(1, 600), mark("a")) == [Answered(1, 0, 400)]
    assert call.at(2_000, media(2, 200), mark("b")) == [Answered(2, 0, 700)]
    assert call.at(2_050, played("a")) == [Heard(Answered(1, 0, 400), 50)]
    assert call.at(2_300, played("b")) == [Heard(Answered(2, 0, 700), 100)]


def test_what_was_said_since_a_reply_came_is_a_question_to_the_next(call: Call) -> None:
    call.at(1_000, call.asked(0, 1_000), MeasureReply(1), media(1, 60))
    call.at(2_000, call.asked(1_500, 1_900), MeasureReply(2))
    assert call.at(2_000, media(2, 60)) == [Answered(2, 100, 0)]


def test_a_reply_that_is_cut_before_its_first_mark_is_answered_and_not_heard(call: Call) -> None:
    call.at(1_000, call.asked(0, 1_000), MeasureReply(1), media(1, 260), mark("a"))
    call.at(1_200, SendClear("MZ"))
    call.at(1_210, played("a"))  # Twilio echoes the marks of what it has thrown away
    assert call.of(Cut) == []  # it may be gone on with
    assert call.at(3_000, MeasureReply(2), media(2, 60)) == [Cut(1_200)]
    assert (len(call.of(Answered)), call.of(Heard)) == (1, [])


def test_a_reply_that_goes_on_was_held_in_vain_and_not_cut(call: Call) -> None:
    call.at(1_000, MeasureReply(1), media(1, 600))
    call.at(1_200, SendClear("MZ"))
    assert call.at(1_650, media(1, 400)) == [HeldInVain(450)]
    call.at(1_900, SendClear("MZ"))
    assert call.at(2_500, Stop("MZ")) == [Cut(1_900)]


def test_the_sound_for_who_waits_is_neither_cut_nor_a_reply(call: Call) -> None:
    call.at(1_000, media(NO_REPLY, 300))
    call.at(1_100, SendClear("MZ"), MeasureReply(1), media(1, 60))
    call.at(1_200, OVER)
    assert call.found == []
    assert call.measures.figures.turns == 1


def test_talk_over_is_what_both_say_at_once_up_to_the_clear(call: Call) -> None:
    call.at(1_000, MeasureReply(1), media(1, 3_000))
    call.at(2_300, SendClear("MZ"))
    assert call.at(3_400, call.asked(2_000, 3_000)) == [TalkedOver(300, 2_000)]


def test_who_is_spoken_to_while_speaking_is_talked_over_too(call: Call) -> None:
    call.at(1_500, call.asked(1_000, 1_500), MeasureReply(1), media(1, 400))
    assert call.at(2_400, call.asked(1_500, 2_000)) == [TalkedOver(400, 1_500)]


@pytest.mark.parametrize("ends", [Stop("MZ"), StreamEnded("MZ", "broken"), OVER])
def test_a_silence_of_two_seconds_is_told_with_who_had_spoken_last(
    call: Call, ends: Event | Command
) -> None:
    found = call.at(2_500, MeasureReply(1), media(1, 260), mark("a"))
    assert found == [Silence(2_500, "nobody", 0)]
    call.at(2_860, played("a"))  # heard to its end by then
    assert call.at(7_000, call.asked(5_060, 6_600)) == [Silence(2_200, "agent", 2_860)]
    found = call.at(8_700, MeasureReply(2), media(2, 60))
    assert found == [Answered(2, 2_100, 0), Silence(2_100, "caller", 6_600)]
    call.at(9_000, call.asked(8_900, 8_950))
    assert call.at(11_950, ends) == [Silence(3_000, "caller", 8_950)]
    assert call.at(20_000, OVER) == []
    assert call.measures.figures.silence_ms == [2_500, 2_200, 2_100, 3_000]


def test_a_gap_in_a_reply_is_how_long_twilio_had_nothing_of_it(call: Call) -> None:
    call.at(1_000, MeasureReply(1), media(1, 400))
    assert call.at(1_390, media(1, 200)) == []
    assert call.at(1_850, media(1, 200)) == [Gap(250, "worker")]
    call.at(3_000, MeasureReply(2), media(2, 60))
    assert call.of(Gap) == [Gap(250, "worker")]


@pytest.mark.parametrize(
    ("event", "late"),
    [
        (ReplyAudio(1, bytes(48 * 200)), "model"),
        (ReplyAudio(1, bytes(48 * 20)), "worker"),  # most of what is sent was here before
        (GenerationComplete(1), "model"),  # the rest, which is less than a frame
        (Mark("MZ", "a"), "mark"),
        (Tick(), "worker"),
    ],
)
def test_a_gap_is_explained_by_what_was_late(call: Call, event: Event, late: Late) -> None:
    call.at(1_000, MeasureReply(1), media(1, 400))
    assert call.at(1_850, event, media(1, 200)) == [Gap(450, late)]


def test_a_reply_that_goes_on_on_the_next_stream_has_no_gap(call: Call) -> None:
    call.at(1_000, MeasureReply(1), media(1, 400))
    call.at(1_200, StreamEnded("MZ", "broken"))
    call.at(2_000, StreamStarted("MZ2", 2))
    call.at(2_001, SendMedia("MZ2", 1, b"\xff" * 480))
    assert call.found == []


def test_a_mark_that_only_asks_whether_twilio_is_there_makes_nobody_speak(call: Call) -> None:
    call.at(500, MeasureReply(1), media(1, 200), mark("a"))
    call.at(700, played("a"))
    call.at(2_600, mark("there?"))
    call.at(2_650, played("there?"))
    assert call.at(2_900, OVER) == [Silence(2_200, "agent", 700)]
