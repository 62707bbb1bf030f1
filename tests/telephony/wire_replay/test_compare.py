"""What may differ on the wire, and what may not."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from agent.conversation.transcript import Line
from telephony.twilio.messages import MALFORMED_REASONS, Malformed, parse
from telephony.wire_replay.carried import Carried, Place, ToModel, ToPhone
from telephony.wire_replay.compare import differences, missing
from telephony.wire_replay.frames import malformed
from telephony.wire_replay.phone import due

AUDIO = Random(1).randbytes(16_000)


def carried() -> Carried:
    """A reply that was cleared, and one after it."""
    said = Line(1, "agent", "Good morning to you all.", "Good morning to", 0, 1)
    return Carried(
        phone=ToPhone([bytearray(AUDIO[:8_000]), bytearray(AUDIO)], 9, 8, 1),
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


@pytest.mark.parametrize(
    "fault",
    [
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
