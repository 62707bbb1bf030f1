"""Which calls are recorded."""

import pytest

from telephony.replay.selection import ALL, Selection, parse

SIDS = [f"CA{n:032x}" for n in range(2_000)]


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("all", ALL),
        ("1", Selection(1.0)),
        ("0", Selection(0.0)),
        (" 0.05 ", Selection(0.05)),
        (".5", Selection(0.5)),
        ("+15550100", Selection(0.0, frozenset({"+15550100"}))),
        ("+15550100, +4930123456", Selection(0.0, frozenset({"+15550100", "+4930123456"}))),
    ],
)
def test_a_selection_is_read(text: str, selection: Selection) -> None:
    assert parse(text) == selection


@pytest.mark.parametrize("text", ["", "none", "1.5", "-1", "5%", "15550100", "+15550100,", "nan"])
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected `all`, a share .* got"):
        parse(text)


def test_a_share_is_a_share_of_all_calls_and_the_same_on_every_worker() -> None:
    chosen = [sid for sid in SIDS if parse("0.25").wants(sid)]
    assert 0.2 < len(chosen) / len(SIDS) < 0.3
    assert chosen == [sid for sid in SIDS if parse("0.25").wants(sid)]
    assert all(parse("0.5").wants(sid) for sid in chosen)
    assert not any(parse("0").wants(sid) for sid in SIDS)
    assert all(ALL.wants(sid) for sid in SIDS)


def test_a_number_chooses_calls_from_it_and_to_it() -> None:
    selection = parse("+15550100")
    assert selection.wants(SIDS[0], ("+15550100", "+15550199"))
    assert selection.wants(SIDS[0], ("+15550199", "+15550100"))
    assert not selection.wants(SIDS[0], ("+15550199",))
    assert not selection.wants(SIDS[0])
