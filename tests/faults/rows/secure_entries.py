"""Row 52: what a caller types in secret is nowhere but in its one tool, and nobody hears them."""

from collections.abc import Sequence
from dataclasses import asdict

from tests.faults.secret_typing import ENTRIES_A_CALL, Seen, lived
from tests.faults.table import Figure, Row, exactly, scaled

ENTRIES = 1_000


def measure(share: float) -> Sequence[Figure]:
    """So many entries, some of them cancelled, too short, or broken off by a line or a worker."""
    entries = scaled(ENTRIES, share, least=8)
    calls = [min(ENTRIES_A_CALL, entries - n) for n in range(0, entries, ENTRIES_A_CALL)]
    return figures([lived(seed, count) for seed, count in enumerate(calls)])


def figures(calls: Sequence[Seen]) -> list[Figure]:
    """What all of these calls come to."""
    total: dict[str, int] = {}
    for each in calls:
        for where, hits in each.found.items():
            total[where] = total.get(where, 0) + hits
    sums = {
        name: sum(int(asdict(each)[name]) for each in calls)
        for name in ("entries", "wrong", "heard", "forwarded")
    }
    return [
        Figure("secure entries", sums["entries"], None),
        Figure("whose tool did not get what was typed, once", sums["wrong"], exactly(0)),
        Figure("frames of a hidden caller recorded", sums["heard"], exactly(0)),
        Figure("frames of a hidden caller forwarded", sums["forwarded"], exactly(0)),
        *(Figure(f"digits in {where}", hits, exactly(0)) for where, hits in total.items()),
    ]


ROWS = (Row(52, "a caller types in secret", measure, virtual=True, cost_s=120),)
