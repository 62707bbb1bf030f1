"""What several rows make of many measurements."""

from collections.abc import Sequence


def p95(values: Sequence[float]) -> float:
    """The value that 95 % of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-95 * len(ranked) // 100) - 1)]
