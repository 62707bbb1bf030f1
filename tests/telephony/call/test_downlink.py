"""Replies on their way to the caller: message sizes, the lead, and not one sample lost."""

import random

import pytest

from telephony.audio import g711
from telephony.audio.resample import model_to_phone
from telephony.call.downlink import (
    FIRST_MESSAGE_MS,
    HELD_LIMIT_SAMPLES,
    LEAD_MS,
    MESSAGE_MS,
    Downlink,
    Piece,
)

MS = 8
"""Samples."""


def noise(samples: int, seed: int = 1) -> bytes:
    """PCM16 of the model, 24 kHz."""
    return random.Random(seed).randbytes(2 * samples)


def speech(ms: int) -> bytes:
    return noise(24 * ms)


def taken(downlink: Downlink) -> list[Piece]:
    """Everything that can go out, as to a Twilio that plays at once."""
    pieces = []
    while piece := downlink.take(0):
        pieces.append(piece)
    return pieces


def whole(pcm: bytes) -> bytes:
    """The µ-law of a reply, padded to frames."""
    resampler = model_to_phone()
    ulaw = g711.encode(resampler.push(pcm) + resampler.flush())
    return ulaw + b"\xff" * (-len(ulaw) % 160)


@pytest.fixture
def downlink() -> Downlink:
    """Empty."""
    return Downlink()


def test_the_first_message_is_small_and_the_others_long(downlink: Downlink) -> None:
    downlink.add(1, speech(1000))
    downlink.finish(1)
    assert [len(piece.ulaw) // MS for piece in taken(downlink)] == [
        FIRST_MESSAGE_MS,
        *[MESSAGE_MS] * 4,
        1000 - FIRST_MESSAGE_MS - 4 * MESSAGE_MS,
    ]


def test_only_the_last_message_of_a_complete_reply_is_the_last(downlink: Downlink) -> None:
    downlink.add(1, speech(300))
    assert not any(piece.last for piece in taken(downlink))
    downlink.finish(1)
    assert [piece.last for piece in taken(downlink)] == [True]
    assert not downlink.waits()


def test_the_next_message_goes_out_as_the_queue_falls_to_the_lead(downlink: Downlink) -> None:
    downlink.add(1, speech(1000))
    assert downlink.take(LEAD_MS * MS + 1) is None
    assert downlink.waits()
    assert downlink.take(LEAD_MS * MS) is not None


def test_a_reply_begins_with_no_less_than_its_first_message(downlink: Downlink) -> None:
    """The second message takes effect up to 50 ms after the first: less would leave a gap."""
    downlink.add(1, speech(FIRST_MESSAGE_MS - 10))
    assert downlink.take(0) is None
    assert not downlink.waits()
    downlink.add(1, speech(20))
    piece = downlink.take(0)
    assert piece is not None
    assert len(piece.ulaw) == FIRST_MESSAGE_MS * MS


def test_a_reply_shorter_than_that_goes_out_when_it_is_complete(downlink: Downlink) -> None:
    downlink.add(1, speech(20))
    assert downlink.take(0) is None
    downlink.finish(1)
    piece = downlink.take(0)
    assert piece is not None
    assert piece.last


def test_a_part_of_a_frame_waits_for_the_rest_of_it(downlink: Downlink) -> None:
    downlink.add(1, speech(90))
    assert sum(len(piece.ulaw) for piece in taken(downlink)) == 80 * MS
    assert not downlink.waits()
    downlink.add(1, speech(50))
    assert all(len(piece.ulaw) % 160 == 0 for piece in taken(downlink))


@pytest.mark.parametrize("seed", range(20))
def test_a_reply_loses_no_sample_whatever_its_chunks(seed: int) -> None:
    rng = random.Random(seed)
    pcm = noise(rng.randrange(1, 40_000), seed)
    downlink = Downlink()
    sent, at = b"", 0
    while at < len(pcm):
        size = 2 * rng.randrange(1, 6_000)
        downlink.add(1, pcm[at : at + size])
        at += size
        sent += b"".join(piece.ulaw for piece in taken(downlink))
    downlink.finish(1)
    sent += b"".join(piece.ulaw for piece in taken(downlink))
    assert sent == whole(pcm)


def test_a_reply_may_end_before_all_of_it_that_came(downlink: Downlink) -> None:
    downlink.add(1, speech(3_000))
    downlink.finish(1, 1_000 * MS)
    assert b"".join(piece.ulaw for piece in taken(downlink)) == whole(speech(3_000))[: 1_000 * MS]


def test_what_was_sent_of_a_reply_is_not_taken_back(downlink: Downlink) -> None:
    downlink.add(1, speech(3_000))
    sent = sum(len(piece.ulaw) for piece in taken(downlink))
    downlink.finish(1, 1_000 * MS)
    assert downlink.length_if_sent(1) == sent > 1_000 * MS


def test_a_replys_end_is_filled_up_with_silence(downlink: Downlink) -> None:
    downlink.add(1, noise(24 * 50))
    downlink.finish(1)
    sent = b"".join(piece.ulaw for piece in taken(downlink))
    assert len(sent) == 60 * MS
    assert sent[50 * MS :] == b"\xff" * (10 * MS)


def test_a_reply_waits_behind_the_one_before_it(downlink: Downlink) -> None:
    downlink.add(1, speech(100))
    downlink.finish(1)
    downlink.add(2, speech(100))
    downlink.finish(2)
    order = [(piece.reply, len(piece.ulaw) // MS) for piece in taken(downlink)]
    assert order == [
        (1, FIRST_MESSAGE_MS), (1, 100 - FIRST_MESSAGE_MS),
        (2, FIRST_MESSAGE_MS), (2, 100 - FIRST_MESSAGE_MS),
    ]  # fmt: skip


def test_a_reply_that_is_not_complete_holds_up_the_next(downlink: Downlink) -> None:
    downlink.add(1, speech(10))
    assert not downlink.waits()
    downlink.finish(1)
    assert downlink.waits()


def test_a_reply_without_audio_is_complete_at_once_and_holds_up_nobody(downlink: Downlink) -> None:
    downlink.finish(1)
    assert downlink.length_if_sent(1) == 0
    downlink.add(2, speech(100))
    assert downlink.take(0) is not None


def test_dropping_forgets_what_was_not_sent_and_what_the_filter_holds(downlink: Downlink) -> None:
    downlink.add(1, speech(1000))
    downlink.take(0)
    downlink.drop(1)
    assert downlink.replies == ()
    assert not downlink.waits()
    fresh = noise(24 * 100, seed=2)
    downlink.add(2, fresh)
    downlink.finish(2)
    assert b"".join(piece.ulaw for piece in taken(downlink)) == whole(fresh)


def test_dropping_a_heard_reply_leaves_the_next_whole(downlink: Downlink) -> None:
    downlink.add(1, speech(100))
    downlink.finish(1)
    pcm = noise(24 * 100, seed=2)
    downlink.add(2, pcm[:1000])
    downlink.drop(1)
    downlink.add(2, pcm[1000:])
    downlink.finish(2)
    assert b"".join(piece.ulaw for piece in taken(downlink)) == whole(pcm)


def test_its_length_is_known_once_all_of_it_was_sent(downlink: Downlink) -> None:
    downlink.add(1, speech(300))
    taken(downlink)
    assert downlink.length_if_sent(1) is None
    downlink.finish(1)
    assert downlink.length_if_sent(1) is None
    taken(downlink)
    assert downlink.length_if_sent(1) == 300 * MS


def test_a_new_stream_goes_on_where_the_caller_stopped_hearing(downlink: Downlink) -> None:
    pcm = speech(1000)
    downlink.add(1, pcm)
    downlink.finish(1)
    downlink.take(0)
    downlink.take(0)
    downlink.rewind(1, 130 * MS)
    assert downlink.heard_before(1) == 130 * MS
    pieces = taken(downlink)
    assert b"".join(piece.ulaw for piece in pieces) == whole(pcm)[130 * MS :]
    assert len(pieces[0].ulaw) == FIRST_MESSAGE_MS * MS


def test_after_two_lost_streams_it_goes_on_where_the_second_was_lost(downlink: Downlink) -> None:
    pcm = speech(1000)
    downlink.add(1, pcm)
    downlink.finish(1)
    for heard in (130 * MS, 200 * MS):
        downlink.take(0)
        downlink.take(0)
        downlink.rewind(1, heard)
    assert downlink.heard_before(1) == 200 * MS
    assert b"".join(piece.ulaw for piece in taken(downlink)) == whole(pcm)[200 * MS :]


def test_replies_that_the_lost_stream_never_began_are_sent_from_their_start(
    downlink: Downlink,
) -> None:
    downlink.add(1, speech(100))
    downlink.finish(1)
    downlink.add(2, speech(100))
    downlink.rewind(1, 40 * MS)
    downlink.rewind(2, None)
    assert downlink.heard_before(2) == 0


def test_five_minutes_are_held_and_the_rest_of_the_reply_is_dropped_and_counted(
    downlink: Downlink,
) -> None:
    minute = bytes(2 * 24_000 * 60)
    for _ in range(6):
        downlink.add(1, minute)
    downlink.finish(1)
    assert sum(len(piece.ulaw) for piece in taken(downlink)) == HELD_LIMIT_SAMPLES
    assert downlink.dropped_samples == HELD_LIMIT_SAMPLES // 5


def test_a_reply_that_was_cut_short_by_the_limit_does_not_go_on_with_a_hole(
    downlink: Downlink,
) -> None:
    minute = bytes(2 * 24_000 * 60)
    for _ in range(4):
        downlink.add(1, minute)
    downlink.finish(1)
    downlink.add(2, minute)
    downlink.add(2, minute)
    downlink.drop(1)  # it was heard
    downlink.add(2, minute)
    downlink.finish(2)
    assert sum(len(piece.ulaw) for piece in taken(downlink)) == HELD_LIMIT_SAMPLES // 5


def test_the_rest_of_a_reply_is_dropped_and_what_follows_it_is_whole(downlink: Downlink) -> None:
    downlink.add(1, speech(1_000))
    sent = downlink.take(0)
    assert sent
    downlink.drop_rest(1)
    assert downlink.length_if_sent(1) == len(sent.ulaw)
    after = speech(100)
    downlink.add(2, after)
    downlink.finish(2)
    assert b"".join(piece.ulaw for piece in taken(downlink)) == whole(after)


def test_what_was_sent_of_a_dropped_reply_is_not_sent_again(downlink: Downlink) -> None:
    downlink.add(1, speech(1_000))
    downlink.finish(1)
    taken(downlink)
    downlink.drop_rest(1)
    downlink.rewind(1, 320)
    assert taken(downlink) == []
    assert downlink.length_if_sent(1) == downlink.heard_before(1) == 320
