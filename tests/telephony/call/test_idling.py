"""What a line delivers while the caller is silent, by what it did so far."""

import pytest

from telephony.call.idling import PAUSES, SILENCE_MS, Idling

FRAME_MS, FRAME = 20, 160


@pytest.fixture
def idling() -> Idling:
    """A line of which nothing is known."""
    return Idling()


def silent(idling: Idling, ms: int) -> None:
    for _ in range(ms // FRAME_MS):
        idling.delivered(FRAME, sound=False)


def test_one_pause_may_be_a_loss_and_two_are_no_accident(idling: Idling) -> None:
    for _ in range(PAUSES):
        assert not idling
        idling.paused(first=False)
    assert idling


def test_a_line_that_begins_with_a_pause_delivers_nothing_until_it_delivers_silence(
    idling: Idling,
) -> None:
    idling.paused(first=True)
    assert idling
    silent(idling, SILENCE_MS - FRAME_MS)
    assert idling
    silent(idling, FRAME_MS)
    assert not idling
    idling.paused(first=True)
    assert not idling


def test_the_pauses_within_speech_are_no_silence_of_the_line(idling: Idling) -> None:
    for _ in range(PAUSES):
        idling.paused(first=False)
        silent(idling, SILENCE_MS - FRAME_MS)
        idling.delivered(FRAME, sound=True)
    assert idling
