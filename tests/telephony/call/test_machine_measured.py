"""What a call tells of itself to those who measure."""

from agent.conversation.events import TurnComplete
from telephony.call.commands import Command, MeasureReply, MeasureSpeech
from telephony.twilio.messages import Stop
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, audio


def told(commands: list[Command]) -> list[Command]:
    return [each for each in commands if isinstance(each, MeasureSpeech | MeasureReply)]


def test_an_utterance_is_told_of_once_it_is_over(greeted: Phone) -> None:
    began_ms = greeted.now_ms
    greeted.says(VOICE, 400)
    greeted.says(SILENCE, 200)  # a pause within it
    assert told(greeted.says(VOICE, 300)) == []
    ended_ms = greeted.now_ms
    assert ended_ms == began_ms + 900
    [said] = told(greeted.says(SILENCE, 1_000))
    assert said == MeasureSpeech(began_ms, ended_ms, 700)


def test_a_reply_that_comes_sooner_has_what_it_answers_told_before_it(greeted: Phone) -> None:
    greeted.says(VOICE, 400)
    spoke = MeasureSpeech(greeted.now_ms - 400, greeted.now_ms, 400)
    assert told(greeted.tells(audio)) == [spoke, MeasureReply(2)]
    assert told(greeted.tells(audio, audio)) == []
    began_ms = greeted.now_ms
    greeted.says(VOICE, 200)
    [rest] = told(greeted.says(SILENCE, 400))
    assert rest == MeasureSpeech(began_ms, began_ms + 200, 200)


def test_a_caller_who_says_nothing_is_not_told_of(greeted: Phone) -> None:
    assert told(greeted.says(SILENCE, 3_000)) == []


def test_who_hangs_up_in_a_word_is_told_of(greeted: Phone) -> None:
    greeted.tells(TurnComplete)
    greeted.says(VOICE, 200)
    [said] = told(greeted.step(Stop(greeted.stream)))
    assert said == MeasureSpeech(greeted.now_ms - 200, greeted.now_ms, 200)
