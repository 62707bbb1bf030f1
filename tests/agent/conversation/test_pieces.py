"""Whether more of the caller's words may still come."""

import pytest

from agent.conversation.pieces import PIECES_APART_MS, Pieces


def told(*pieces: tuple[int, str]) -> Pieces:
    """What has come, each piece at its time in ms."""
    out = Pieces()
    for now_ms, text in pieces:
        out.add(text, now_ms)
    return out


def test_of_an_unfinished_sentence_more_comes_within_a_second() -> None:
    pieces = told((3_000, "Is it"))
    assert pieces.rest_by_ms == 3_000 + PIECES_APART_MS
    assert pieces.go_on(4_000)
    assert not pieces.go_on(4_001)


def test_behind_a_sentence_more_comes_at_the_pace_of_the_pieces_before() -> None:
    pieces = told((3_000, "Anna "), (3_130, "Bell."))
    assert pieces.rest_by_ms == 3_130 + 3 * 130
    pieces.add(" The ", 3_260)
    assert pieces.text == "Anna Bell. The "


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        ((3_000, " "),),
        ((3_000, "Is it far?"),),
        ((3_000, "Is"), (3_000, " it"), (3_000, " far?")),
        ((3_000, "Is it far?"), (7_000, "My name is Bell.")),
    ],
    ids=["none", "space", "whole", "words at once", "another utterance"],
)
def test_nothing_is_waited_for(pieces: tuple[tuple[int, str], ...]) -> None:
    assert told(*pieces).rest_by_ms is None


def test_what_was_taken_is_gone() -> None:
    pieces = told((3_000, " Is it"), (3_100, " far?"))
    assert pieces.take() == "Is it far?"
    assert pieces.text == ""
    pieces.add("Yes.", 3_200)
    assert pieces.rest_by_ms is None
