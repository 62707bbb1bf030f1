"""What may differ on the wire, and what may not."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from agent.conversation.transcript import Line
from telephony.twilio.messages import MALFORMED_REASONS, Malformed, parse
from telephony.wire_replay.audio import missing, offset
from telephony.wire_replay.carried import Carried, Place, ToModel, ToPhone
from telephony.wire_replay.compare import differences
from telephony.wire_replay.frames import malformed
from telephony.wire_replay.phone import due

AUDIO = Random(1).randbytes(16_000)


def carried() -> Carried:
    """A reply that was cleared, and one after it."""
    said = Line(1, "agent", "Good morning to you all.", "Good morning to", 0, 1)
    marks = [("r1:1", Place(0, 1_600)), ("r1:2", Place(0, 3_200)), ("r1:3", Place(0, 8_000))]
    marks += [("r2:4", Place(1, 1_600)), ("r2:5", Place(1, 8_000)), ("r3:6", Place(1, 16_000))]
    return Carried(
        phone=ToPhone(
            [bytearray(AUDIO[:8_000]), bytearray(AUDIO)], messages=9, marks=marks, clears=1
        ),
        sessions=[ToModel("", 0, ["Greet."], bytearray(AUDIO))],
        lines=[said],
        ended_reason="caller_hangup",
    )


def drop_the_clear(got: Carried) -> None:
    got.phone.clears = 0
    got.phone.runs = [bytearray(b"".join(got.phone.runs))]


def change_a_sample(got: Carried) -> None:
    got.phone.runs[1][9_000] ^= 1


def cut_far_too_early(got: Carried) -> None:
    del got.phone.runs[0][2_000:]


def hear_other_words(got: Carried) -> None:
    got.lines = [replace(got.lines[0], heard="Good night")]


def hear_far_too_much(got: Carried) -> None:
    got.lines = [replace(got.lines[0], text="a b c d e", heard="a b c d e")]


def lose_a_line(got: Carried) -> None:
    got.lines = []


def dial_once_more(got: Carried) -> None:
    got.sessions.append(ToModel())


def greet_twice(got: Carried) -> None:
    got.sessions[0].texts *= 2


def end_otherwise(got: Carried) -> None:
    got.ended_reason = "failed"


def swap_caller_audio(got: Carried) -> None:
    got.sessions[0].pcm[:4_000] = got.sessions[0].pcm[4_000:8_000]


def lose_the_last_mark(got: Carried) -> None:
    del got.phone.marks[-1]


def lose_a_replys_end(got: Carried) -> None:
    del got.phone.marks[4]


def lose_a_mark_between(got: Carried) -> None:
    del got.phone.marks[1]


def mark_before_the_audio(got: Carried) -> None:
    got.phone.marks[4] = ("r2:5", Place(1, 6_400))


def mark_the_next_reply(got: Carried) -> None:
    got.phone.marks[3] = ("r3:4", Place(1, 1_600))


def mark_twice(got: Carried) -> None:
    got.phone.marks.insert(4, got.phone.marks[3])


def mark_out_of_order(got: Carried) -> None:
    got.phone.marks[3:5] = [("r2:5", Place(1, 1_600)), ("r2:4", Place(1, 8_000))]


def say_more_after_the_end(got: Carried) -> None:
    got.phone.runs.append(bytearray(AUDIO))


@pytest.mark.parametrize(
    "fault",
    [
        lose_the_last_mark,
        lose_a_replys_end,
        lose_a_mark_between,
        mark_before_the_audio,
        mark_the_next_reply,
        mark_twice,
        mark_out_of_order,
        say_more_after_the_end,
        drop_the_clear,
        change_a_sample,
        cut_far_too_early,
        hear_other_words,
        hear_far_too_much,
        lose_a_line,
        dial_once_more,
        greet_twice,
        end_otherwise,
        swap_caller_audio,
    ],
)
def test_other_content_is_a_difference(fault: Callable[[Carried], None]) -> None:
    got = carried()
    assert differences(carried(), got) == []
    fault(got)
    assert differences(carried(), got) != []


def test_a_cut_may_fall_a_little_later() -> None:
    got = carried()
    got.phone.runs[0] += bytes(800)
    got.phone.messages += 3
    got.lines = [replace(got.lines[0], heard="Good morning to you")]
    assert differences(carried(), got) == []


def test_a_reply_may_be_divided_otherwise() -> None:
    got = carried()
    got.phone.marks[3:5] = [("r2:5", Place(1, 2_400)), ("r2:6", Place(1, 8_000))]
    got.phone.marks[5:] = [("r3:7", Place(1, 16_000))]
    assert differences(carried(), got) == []


def test_a_new_stream_may_go_on_a_little_earlier_or_later() -> None:
    for later in (-800, 0, 1_600):
        expected, got = carried(), carried()
        for each in (expected, got):
            each.phone.resumed = {1}
        cut, moved = (expected, got) if later < 0 else (got, expected)
        del cut.phone.runs[1][: abs(later)]
        cut.phone.marks = [
            (name, Place(at.run, at.samples - abs(later) * at.run)) for name, at in cut.phone.marks
        ]
        assert offset(expected.phone.runs[1], got.phone.runs[1], 400) == later
        assert differences(expected, got) == [], moved
        got.phone.runs[1][-1] ^= 1
        assert differences(expected, got) != []


def test_a_reply_that_was_held_may_go_on_a_little_earlier_or_later() -> None:
    phone = ToPhone()
    phone.begin()
    phone.media(bytes(800))
    phone.mark("r1:1")
    phone.clear()
    phone.mark("r1:2")
    assert phone.resumed == {1}
    phone.clear()
    phone.mark("r2:3")
    phone.mark("alive:1")
    phone.clear()
    phone.mark("alive:2")
    assert phone.resumed == {1}


def test_caller_audio_may_begin_elsewhere_and_have_more_silence() -> None:
    silent = bytes(1_600)
    wanted = silent + AUDIO
    assert (
        missing(AUDIO[:4_000] + silent + AUDIO[4_000:], AUDIO[:4_000] + 2 * silent + AUDIO[4_000:])
        == 1_600
    )
    assert missing(wanted[3_200:], wanted[2_560:]) == 640
    settling = b"\x01" * 64 + wanted[2_560 + 64 :]
    assert missing(wanted, settling) == 2_560
    pieces = [AUDIO[:4_000], AUDIO[8_000:12_000], AUDIO[4_000:8_000], AUDIO[12_000:]]
    assert missing(wanted, b"".join(pieces)) is None


def test_caller_audio_may_have_holes_and_nothing_else() -> None:
    assert missing(AUDIO, AUDIO) == 0
    assert missing(AUDIO, AUDIO[:4_000] + AUDIO[5_280:]) == 1_280
    assert missing(AUDIO[:8_000], AUDIO) == 8_000
    assert missing(AUDIO, AUDIO[:4_000] + b"\x01" * 640 + AUDIO[4_640:]) is None


def test_a_mark_comes_back_when_it_did_or_as_far_behind_as_there_is_audio() -> None:
    echoes = {Place(0, 1_600): 700, Place(0, 3_200): 900, Place(1, 800): None}
    assert due(echoes, Place(0, 1_600)) == 700
    assert due(echoes, Place(0, 2_400)) == 800
    assert due(echoes, Place(0, 4_000)) == 1_000
    assert due(echoes, Place(1, 800)) is None
    assert due(echoes, Place(2, 80)) == 0


@pytest.mark.parametrize("reason", sorted(MALFORMED_REASONS))
def test_a_frame_is_malformed_for_the_reason_it_is_made_for(reason: str) -> None:
    assert parse(malformed(reason)) == Malformed(reason)
