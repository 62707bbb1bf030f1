"""Media comes in bursts after gaps: what is speech goes by what came, not by when it came."""

import pytest

from agent.conversation.commands import MarkSpeech
from agent.conversation.speech import CallerSpeech, Utterance
from agent.conversation.turn_taking import TurnTaking
from telephony.audio import g711
from telephony.call.ear import BRIDGED_MS, GONE_MS, ONSET_MS, SURE_MS
from telephony.call.microphone import ForModel, Microphone
from tests.telephony.call.test_ear import FRAME_MS, SILENCE, VOICE, Line, news

BEGAN = CallerSpeech(Utterance.BEGAN, sure=False)
CONFIRMED = CallerSpeech(Utterance.CONFIRMED, sure=True)
ENDED = CallerSpeech(Utterance.ENDED, sure=True)
STALL_MS = 600


@pytest.fixture
def line() -> Line:
    """A line that was silent so far."""
    quiet = Line()
    quiet.sounds(SILENCE, 5)
    return quiet


def burst(line: Line, pcm: bytes, ms: int) -> list[CallerSpeech]:
    """So much comes at once; what the ear tells of it."""
    told = []
    for _ in range(ms // FRAME_MS):
        line.ear.hears(pcm, line.now_ms)
        if (speech := line.ear.news(line.now_ms)) is not None:
            told.append(speech)
    return told


def test_words_that_come_in_one_burst_are_as_long_as_they_were_spoken(line: Line) -> None:
    line.now_ms += STALL_MS
    assert burst(line, VOICE, ONSET_MS - FRAME_MS) == []
    assert burst(line, VOICE, FRAME_MS) == [BEGAN]
    assert burst(line, VOICE, SURE_MS - ONSET_MS) == [CONFIRMED]
    assert burst(line, SILENCE, BRIDGED_MS + FRAME_MS) == [ENDED]


def test_a_click_is_no_longer_because_the_next_one_is_late(line: Line) -> None:
    line.sounds(VOICE)
    line.now_ms += BRIDGED_MS - 2 * FRAME_MS
    line.sounds(VOICE)
    assert line.ear.news(line.now_ms) is None


def test_a_stall_in_the_middle_of_a_word_ends_nothing(line: Line) -> None:
    assert len(news(line, VOICE, SURE_MS // FRAME_MS)) == 2
    line.now_ms += STALL_MS
    assert line.ear.news(line.now_ms) is None
    assert burst(line, VOICE, STALL_MS) == []


def test_a_line_that_delivers_nothing_more_ends_an_utterance(line: Line) -> None:
    burst(line, VOICE, SURE_MS)
    line.now_ms += GONE_MS + 1
    assert line.ear.news(line.now_ms) == ENDED


def test_silence_in_one_burst_with_a_word_is_no_speech() -> None:
    microphone = Microphone()
    spoken_ms = 0.0
    for number, pcm in enumerate([*[SILENCE] * 5, *[VOICE] * 3, *[SILENCE] * 10]):
        microphone.hears(g711.encode(pcm), number * FRAME_MS, 1_000)
        spoken_ms += microphone.spoke_ms
    assert spoken_ms == 3 * FRAME_MS


def test_media_that_comes_too_late_is_no_speech() -> None:
    microphone = Microphone()
    for number in [0, 1, 3, 2]:
        microphone.hears(g711.encode(VOICE if number else SILENCE), number * FRAME_MS, 1_000)
    assert microphone.spoke_ms == 0


class Ours:
    """A caller whose speech we detect, on a line whose media comes when the test says."""

    def __init__(self) -> None:
        self.microphone = Microphone(TurnTaking(silence_ms=500, detection="ours"))
        self.microphone.listens(1, 0)
        self.sent = 0

    def gives(self, pcm: bytes, ms: int, now_ms: int) -> list[bool]:
        """So much comes at once; what is marked, begins or ends."""
        out: list[ForModel] = []
        for _ in range(ms // FRAME_MS):
            out += self.microphone.hears(g711.encode(pcm), self.sent * FRAME_MS, now_ms)
            self.sent += 1
        return [command.begins for command in out if isinstance(command, MarkSpeech)]


def test_who_speaks_has_not_finished_because_media_was_late() -> None:
    ours = Ours()
    ours.gives(SILENCE, 100, 100)
    assert ours.gives(VOICE, 400, 500) == [True]
    assert ours.gives(SILENCE, 480, 500 + STALL_MS) == []
    assert ours.gives(SILENCE, 20, 500 + STALL_MS) == [False]
