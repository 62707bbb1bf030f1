"""Where a reply can be left, and where one that is said anew is heard from."""

import pytest

from agent.conversation.seam import NEAR_MS, Silences, last_seam, seam_after

PIECES = [
    (0.0, "It is near."),
    (1_200.0, " Go down to the water and then left."),
    (4_000.0, " Ask at"),
]
"""The second sentence ends at 3.4 s by the text, and at 3.7 s by the audio."""


def audio(*parts: int) -> bytes:
    """Speech and silence in turn, in ms."""
    return b"".join((b"\x00\x10", bytes(2))[n % 2] * (24 * ms) for n, ms in enumerate(parts))


def silences(pcm: bytes, chunk_ms: int = 210) -> Silences:
    found = Silences()
    for at in range(0, len(pcm), 48 * chunk_ms):
        found.push(pcm[at : at + 48 * chunk_ms])
    return found


@pytest.mark.parametrize("chunk_ms", [7, 40, 210, 1_000, 10_000])
def test_a_silence_is_found_however_the_audio_comes(chunk_ms: int) -> None:
    found = silences(audio(1_000, 100, 1_000, 200, 500), chunk_ms)
    assert found.sounded_ms >= 2_500
    assert found.near(1_200) == 1_050
    assert found.near(1_700) == 2_200  # the longer one
    assert found.near(1_200, after_ms=1_100) is None


def test_the_silence_before_a_stop_is_none() -> None:
    assert silences(audio(1_000, 50, 1_000)).near(1_000) is None


def test_without_sound_there_is_none() -> None:
    assert silences(bytes(48 * 1_000)).sounded_ms == 0


def test_a_reply_is_left_in_the_silence_after_a_sentence() -> None:
    found = silences(audio(1_000, 200, 2_400, 200, 1_200))
    seam = last_seam(PIECES, found, 5_000, after_ms=0)
    assert seam == (3_700, "It is near. Go down to the water and then left.")


def test_a_sentence_whose_silence_may_still_come_is_not_left_there() -> None:
    found = silences(audio(1_000, 200, 2_600))
    assert last_seam(PIECES[:2], found, 3_800, after_ms=0) == (1_100, "It is near.")


def test_what_was_sent_is_not_taken_back() -> None:
    found = silences(audio(1_000, 200, 2_600))
    at_ms, text = last_seam(PIECES[:2], found, 3_800, after_ms=2_000)
    assert 2_000 < at_ms <= 3_800
    assert text.startswith("It is near. Go down")


def test_where_nothing_can_be_taken_back_all_of_it_is_heard() -> None:
    found = silences(audio(1_000))
    assert last_seam(PIECES[:1], found, 1_000, after_ms=1_200)[0] == 1_000


def test_two_ends_that_are_near_each_other_are_not_told_apart() -> None:
    pieces = [
        (0.0, "We have a table for you tonight. Yes, "),
        (2_500.0, "by the window over there"),
    ]
    found = silences(audio(1_900, 150, 350, 100, 2_500))
    assert last_seam(pieces, found, 5_000, after_ms=0).at_ms > 2_500


def test_the_end_of_a_repetition_is_its_silence() -> None:
    found = silences(audio(1_000, 200, 2_400, 200, 1_200))
    chars = len("It is near. Go down to the water and then left.")
    assert seam_after(PIECES, found, 5_000, chars, complete=False) == 3_700


def test_the_end_of_a_repetition_is_waited_for_until_there_is_no_more() -> None:
    found = silences(audio(1_000))
    assert seam_after(PIECES[:1], found, 600 + NEAR_MS - 1, 11, complete=False) is None
    assert seam_after(PIECES[:1], found, 600, 11, complete=True) is not None
