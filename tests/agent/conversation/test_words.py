"""Which words were heard, and which of the caller's are new."""

import pytest

from agent.conversation.words import SPEECH_CHARS_PER_S, heard_text, without_repetition

WORDS = "one two three four five six seven eight nine ten "


def pieces_of(chunk_words: int, word_ms: float) -> list[tuple[float, str]]:
    """`WORDS` in pieces of so many words, each ahead of its audio, every word equally long."""
    words = WORDS.split()
    return [
        (i * word_ms, " ".join(words[i : i + chunk_words]) + " ")
        for i in range(0, len(words), chunk_words)
    ]


@pytest.mark.parametrize("chunk_words", [1, 2, 3, 10])
@pytest.mark.parametrize("heard_words", range(11))
def test_a_cut_is_right_to_a_word_however_the_text_came(chunk_words: int, heard_words: int) -> None:
    heard = heard_text(pieces_of(chunk_words, 300), 3000, heard_words * 300, complete=True)
    assert WORDS.startswith(heard)
    assert abs(len(heard.split()) - heard_words) <= 1


@pytest.mark.parametrize("heard_words", range(11))
def test_pieces_of_a_word_each_make_the_cut_exact(heard_words: int) -> None:
    heard = heard_text(pieces_of(1, 300), 3000, heard_words * 300, complete=True)
    assert heard.split() == WORDS.split()[:heard_words]


@pytest.mark.parametrize("heard_ms", range(0, 3000, 70))
def test_a_cut_never_falls_inside_a_word(heard_ms: int) -> None:
    heard = heard_text([(0, WORDS)], 3000, heard_ms, complete=True)
    assert WORDS.split()[: len(heard.split())] == heard.split()


def test_more_heard_is_never_fewer_words() -> None:
    cuts = [len(heard_text(pieces_of(3, 300), 3000, ms, complete=True)) for ms in range(3001)]
    assert cuts == sorted(cuts)
    assert cuts[0] == 0
    assert cuts[-1] == len(WORDS.strip())


def test_a_whole_reply_heard_to_its_end_is_all_its_text() -> None:
    assert heard_text([(0, " All of it. ")], 800, 820, complete=True) == "All of it."


def test_pieces_in_words_of_several_deltas_are_joined_as_they_came() -> None:
    pieces = [(0.0, "Hel"), (100.0, "lo the"), (200.0, "re")]
    assert heard_text(pieces, 300, 300, complete=True) == "Hello there"


def test_text_far_ahead_of_its_audio_is_not_taken_for_heard() -> None:
    text = "word " * 40
    heard = heard_text([(0, text)], 1000, 1000, complete=False)
    assert 0 < len(heard) <= SPEECH_CHARS_PER_S + 5


def test_pieces_that_came_at_the_same_moment_are_spoken_one_after_the_other() -> None:
    apart = heard_text([(0, "one two "), (0, "three four")], 1200, 600, complete=True)
    together = heard_text([(0, "one two three four")], 1200, 600, complete=True)
    assert apart == together == "one two"


def test_a_pause_without_text_belongs_to_the_words_before_it() -> None:
    pieces = [(0.0, "first "), (2000.0, "second")]
    assert heard_text(pieces, 2300, 1990, complete=True) == "first"


def test_nothing_is_heard_of_a_reply_without_text() -> None:
    assert heard_text([], 1000, 500, complete=True) == ""
    assert heard_text([], 1000, 500, complete=False) == ""


@pytest.mark.parametrize(
    ("before", "again", "new"),
    [
        ("I need a room", "I need a room", ""),
        ("I need a room", "I need a room for two", "for two"),
        ("I need a room", "need a room, for two.", "for two."),
        ("I need a Room.", "i need a room for two", "for two"),
        ("I need", "something else", "something else"),
        ("", "all new", "all new"),
        ("no no", "no no no", "no"),
        ("so it is", "is it so", "it so"),
    ],
)
def test_only_words_that_were_not_a_line_before_are_new(before: str, again: str, new: str) -> None:
    assert without_repetition(before, again) == new
