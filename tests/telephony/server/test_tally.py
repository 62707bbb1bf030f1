"""The figures of a call."""

import pytest

from agent.conversation.events import UsageReported
from telephony.audio.g711 import encode
from telephony.call.commands import NO_REPLY, Command, SendClear, SendMedia
from telephony.call.events import Tick
from telephony.server.tally import Tally
from telephony.twilio.messages import Media

LOUD, QUIET = encode(b"\x00\x20" * 160), b"\xff" * 160


class Line:
    """A call of which a tally is kept."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.now_ms = 0

    def caller(self, ulaw: bytes, ms: int) -> None:
        for _ in range(ms // 20):
            self.now_ms += 20
            self.tally.step(Media("MZ", ulaw, self.now_ms), self.now_ms, [])

    def does(self, *commands: Command) -> int | None:
        return self.tally.step(Tick(), self.now_ms, commands)

    def figures(self) -> dict[str, int]:
        return self.tally.figures(self.now_ms)


@pytest.fixture
def line() -> Line:
    return Line()


def says(reply: int) -> SendMedia:
    return SendMedia("MZ", reply, QUIET)


def test_a_response_takes_from_the_callers_last_sound_to_the_first_audio_of_a_reply(
    line: Line,
) -> None:
    line.caller(LOUD, 600)
    line.caller(QUIET, 1_200)
    assert line.does(says(1), says(1)) == 1_200
    line.caller(QUIET, 100)
    assert line.does(says(1)) is None
    assert line.figures() == {
        "duration_ms": 1_900,
        "turns": 1,
        "response_p50_ms": 1_200,
        "response_p95_ms": 1_200,
        "barge_ins": 0,
    }


def test_a_greeting_and_what_nobody_asked_for_have_no_response_time(line: Line) -> None:
    line.caller(QUIET, 1_000)
    assert line.does(says(1)) is None
    line.caller(LOUD, 100)  # a cough
    assert line.does(says(2)) is None
    assert "response_p50_ms" not in line.figures()
    line.caller(LOUD, 400)
    assert line.does(says(3)) == 0
    assert line.does(says(4)) is None
    assert line.figures()["turns"] == 4


def test_the_percentiles_are_of_all_turns(line: Line) -> None:
    for n in range(1, 21):
        line.caller(LOUD, 400)
        line.caller(QUIET, 100 * n)
        line.does(says(n))
    figures = line.figures()
    assert (figures["response_p50_ms"], figures["response_p95_ms"]) == (1_000, 1_900)


def test_a_clear_is_a_barge_in_unless_a_reply_begins_with_it(line: Line) -> None:
    line.does(says(1))
    line.does(SendClear("MZ"))
    line.does(SendMedia("MZ", NO_REPLY, QUIET))  # the sound for who waits
    line.does(SendClear("MZ"), says(2))
    assert line.figures()["barge_ins"] == 1


def test_tokens_are_summed_where_the_model_reports_them(line: Line) -> None:
    assert "tokens" not in line.figures()
    for total in (100, 250):
        line.tally.step(UsageReported(1, 0, 0, 0, total), 0, [])
    assert line.figures()["tokens"] == 350
