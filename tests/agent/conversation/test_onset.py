"""When the caller began to say what was written down later."""

import pytest

from agent.conversation.onset import KEPT, WORD_MS, Onset
from agent.conversation.turn_taking import TurnTaking

FRAME_MS = 20


@pytest.fixture
def onset() -> Onset:
    return Onset()


def speak(onset: Onset, began_ms: int, ends_ms: int) -> None:
    """Sound from one instant to another, in frames of 20 ms."""
    for now_ms in range(began_ms + FRAME_MS, ends_ms + 1, FRAME_MS):
        onset.sounded(now_ms, FRAME_MS)


def test_words_began_where_the_sound_before_them_began(onset: Onset) -> None:
    speak(onset, 4_000, 5_500)
    assert onset.of_words(6_200, again=False) == 4_000


def test_a_pause_between_words_divides_no_utterance(onset: Onset) -> None:
    speak(onset, 4_000, 4_600)
    speak(onset, 5_000, 5_600)
    assert onset.of_words(6_300, again=False) == 4_000


def test_a_longer_pause_divides_none_where_a_turn_ends_later() -> None:
    onset = Onset(TurnTaking(silence_ms=2_000))
    speak(onset, 4_000, 4_600)
    speak(onset, 6_000, 6_600)
    assert onset.of_words(8_700, again=False) == 4_000
    assert onset.of_words(8_900, again=True) == 4_000
    assert onset.of_words(9_000, again=False) == 9_000
    speak(onset, 9_200, 9_800)
    assert onset.of_words(11_900, again=False) == 9_200


def test_sound_is_counted_from_when_it_was_heard_however_late_a_turn_ends() -> None:
    onset = Onset(TurnTaking(silence_ms=5_000))
    speak(onset, 1_000, 3_000)
    onset.sounded(6_000, FRAME_MS)
    assert onset.sounded_since(5_000) == FRAME_MS


def test_of_two_utterances_the_later_is_written(onset: Onset) -> None:
    speak(onset, 1_000, 1_500)  # the server made nothing of it
    speak(onset, 9_000, 9_800)
    assert onset.of_words(10_500, again=False) == 9_000


def test_an_utterance_that_only_begins_is_not_what_is_written(onset: Onset) -> None:
    speak(onset, 4_000, 5_000)
    speak(onset, 5_600, 6_000)
    assert onset.of_words(6_000, again=False) == 4_000
    assert onset.of_words(7_000, again=False) == 5_600


def test_words_that_come_while_they_are_spoken_began_with_them(onset: Onset) -> None:
    speak(onset, 4_000, 4_300)
    assert onset.of_words(4_300, again=False) == 4_000


def test_a_click_is_no_beginning(onset: Onset) -> None:
    speak(onset, 4_000, 5_000)
    speak(onset, 5_600, 5_600 + WORD_MS - FRAME_MS)
    assert onset.of_words(9_000, again=False) == 4_000


def test_words_without_a_sound_of_their_own_have_the_time_they_were_written(onset: Onset) -> None:
    assert onset.of_words(700, again=False) == 700
    speak(onset, 4_000, 5_000)
    assert onset.of_words(5_700, again=False) == 4_000
    assert onset.of_words(8_000, again=False) == 8_000


def test_the_rest_of_an_utterance_that_is_written_again_began_with_it(onset: Onset) -> None:
    speak(onset, 4_000, 5_000)
    assert onset.of_words(5_700, again=False) == 4_000
    assert onset.of_words(7_000, again=True) == 4_000


def test_a_caller_who_is_never_written_down_costs_no_memory(onset: Onset) -> None:
    for n in range(10 * KEPT):
        speak(onset, 1_000 * n, 1_000 * n + 400)
    assert len(onset._stretches) == KEPT
