"""What the caller hears of the agent: stopped, held, gone on with, on this stream or the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio import g711
from telephony.audio.resample import model_to_phone
from telephony.call.commands import PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.player import Player

MS = 8
"""Samples of the phone."""

SPEECH = b"".join(n.to_bytes(2, "little", signed=True) for n in range(-12_000, 12_000))
"""1 s, in which no two stretches sound alike."""


def whole(pcm: bytes) -> bytes:
    """As the phone hears it."""
    resampler = model_to_phone()
    ulaw = g711.encode(resampler.push(pcm) + resampler.flush())
    return ulaw + b"\xff" * (-len(ulaw) % (20 * MS))


class Line:
    """A Twilio that plays what it is sent in real time, and echoes marks at once."""

    def __init__(self) -> None:
        self.player = Player()
        self.player.started("MZ1")
        self.now_ms = 0
        self.heard = b""
        self.clears = 0
        self.flushed: list[str] = []
        self._held: list[PhoneCommand] = []
        self._ulaw = b""

    def takes(self, commands: list[PhoneCommand]) -> None:
        for command in commands:
            if isinstance(command, SendClear):
                self.clears += 1
                self.flushed = [each.name for each in self._held if isinstance(each, SendMark)]
                self._held, self._ulaw = [], b""
            else:
                self._held.append(command)

    def plays(self, ms: int) -> None:
        """So much time passes."""
        for _ in range(ms):
            self.takes(self.player.due(self.now_ms))
            self._fill()
            self.heard, self._ulaw = self.heard + self._ulaw[:MS], self._ulaw[MS:]
            self.now_ms += 1
            self._fill()

    def _fill(self) -> None:
        while self._held and (not self._ulaw or isinstance(self._held[0], SendMedia)):
            match self._held.pop(0):
                case SendMedia(ulaw=ulaw):
                    self._ulaw += ulaw
                    if self._held and isinstance(self._held[0], SendMark):
                        return
                case SendMark(name=name):
                    self.player.mark_returned(name, self.now_ms)
                case _:
                    pass


@pytest.fixture
def line() -> Line:
    """A reply of 1 s was received whole."""
    line = Line()
    line.player.add(1, SPEECH)
    line.player.finish(1)
    return line


def heard_ms(line: Line) -> dict[int, float]:
    """How much of each reply was heard."""
    return {reply: ms for reply, ms, _ in line.player.progress_ms(line.now_ms)}


def test_a_reply_is_heard_whole_and_ends_once(line: Line) -> None:
    line.plays(1_100)
    assert line.heard == whole(SPEECH)
    assert list(line.player.ended()) == [(1, len(whole(SPEECH)) / MS)]
    assert line.player.empty


def test_a_held_reply_is_silent_and_forgets_nothing(line: Line) -> None:
    line.plays(300)
    line.takes(line.player.hold(line.now_ms))
    assert line.clears == 1
    stopped = line.heard
    line.plays(5_000)
    assert line.heard == stopped
    assert line.player.deadline_ms() is None
    assert not line.player.empty


def test_a_held_reply_goes_on_with_the_very_next_sample(line: Line) -> None:
    line.plays(300)
    line.takes(line.player.hold(line.now_ms))
    line.plays(700)
    line.player.go_on()
    line.plays(800)
    assert line.heard == whole(SPEECH)
    assert [reply for reply, _ in line.player.ended()] == [1]


def test_a_held_reply_goes_on_behind_what_was_heard_before_the_clear_took_effect(
    line: Line,
) -> None:
    line.plays(400)
    cleared = line.player.hold(line.now_ms)
    line.plays(80)  # it is on its way
    line.takes(cleared)
    assert [line.player.mark_returned(mark, line.now_ms) for mark in line.flushed] == [True] * 3
    assert heard_ms(line) == {1: 480.0}
    line.plays(400)
    line.player.go_on()
    line.plays(800)
    assert line.heard == whole(SPEECH)


def test_what_is_heard_again_counts_once(line: Line) -> None:
    line.plays(300)
    line.takes(line.player.hold(line.now_ms))
    line.player.go_on(from_ms=100)
    assert heard_ms(line) == {1: 300.0}
    line.plays(150)
    assert heard_ms(line) == {1: 300.0}
    line.plays(100)
    assert heard_ms(line)[1] == pytest.approx(350, abs=2)
    line.plays(800)
    assert line.heard == whole(SPEECH)[: 300 * MS] + whole(SPEECH)[100 * MS :]
    assert list(line.player.ended()) == [(1, len(whole(SPEECH)) / MS)]


def test_nothing_can_be_gone_on_with_from_further_than_it_was_heard(line: Line) -> None:
    line.plays(300)
    line.takes(line.player.hold(line.now_ms))
    line.player.go_on(from_ms=900)
    line.plays(800)
    assert line.heard == whole(SPEECH)


def test_a_held_reply_can_be_dropped(line: Line) -> None:
    line.plays(300)
    line.takes(line.player.hold(line.now_ms))
    line.takes(line.player.drop(1, line.now_ms))
    assert line.clears == 1
    assert line.player.empty
    line.player.add(2, SPEECH)
    line.player.finish(2)
    stopped = line.heard
    line.plays(1_100)
    assert line.heard == stopped + whole(SPEECH)


def test_more_of_a_reply_may_come_while_it_is_held() -> None:
    line = Line()
    line.player.add(1, SPEECH[:24_000])
    line.plays(200)
    line.takes(line.player.hold(line.now_ms))
    line.player.add(1, SPEECH[24_000:])
    line.player.finish(1)
    line.plays(100)
    line.player.go_on()
    line.plays(1_000)
    assert line.heard == whole(SPEECH)


def test_a_hold_on_a_line_that_is_gone_sends_nothing(line: Line) -> None:
    line.plays(300)
    line.player.parked(line.now_ms)
    assert line.player.hold(line.now_ms) == []


def test_a_sound_of_no_reply_is_broken_off_by_the_next_reply() -> None:
    line = Line()
    line.takes(line.player.play_aside(b"\x01" * 300 * MS, line.now_ms))
    line.plays(100)
    line.player.add(1, SPEECH)
    line.player.finish(1)
    line.plays(1_200)
    assert line.clears == 1
    assert line.heard == b"\x01" * 100 * MS + whole(SPEECH)


@given(st.lists(st.tuples(st.integers(0, 400), st.none() | st.integers(0, 1_000)), max_size=6))
def test_however_often_a_reply_is_held_the_ear_hears_the_next_sample_of_it(
    holds: list[tuple[int, int | None]],
) -> None:
    line = Line()
    line.player.add(1, SPEECH)
    line.player.finish(1)
    sound, at, furthest = whole(SPEECH), 0, 0
    for ms, from_ms in [*holds, (1_200, None)]:
        before = len(line.heard)
        line.plays(ms)
        segment = line.heard[before:]
        assert segment == sound[at : at + len(segment)]
        at += len(segment)
        furthest = max(furthest, at)
        if line.player.empty:
            return
        line.takes(line.player.hold(line.now_ms))
        assert heard_ms(line) == {1: furthest / MS}
        line.player.go_on(from_ms)
        at = at if from_ms is None else min(furthest, from_ms * MS)
    assert furthest == len(sound)
    assert [reply for reply, _ in line.player.ended()] == [1]
