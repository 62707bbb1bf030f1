"""A call that is cut anywhere goes on elsewhere, and what holds for every call holds for it."""

import pytest

from tests.worlds import cuts

SEEDS = 75
"""`make cuts` lives more of them."""
BATCH = 25
SHOWN = (609, 763, 1133)
"""Later ones that showed a fault: a line of a worker that had lost the call was stored; a caller
was greeted a second time; words were told that were not said.
"""


@pytest.mark.parametrize("seed", SHOWN)
def test_what_a_cut_has_shown_stays_mended(seed: int) -> None:
    assert list(cuts.seed_failures(seed)) == []


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_call_drawn_by_a_seed_goes_on_after_a_cut(first: int) -> None:
    found = [wrong for seed in range(first, first + BATCH) for wrong in cuts.seed_failures(seed)]
    assert not found, "\n".join(found)
