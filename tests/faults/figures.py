"""Figures that several rows compute from many measurements, or from one call."""

from collections.abc import Sequence

from telephony.simulator.report import Report, Silence


def p95(values: Sequence[float]) -> float:
    """The value that 95 % of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-95 * len(ranked) // 100) - 1)]


def gaps(report: Report) -> list[Silence]:
    """The silences inside the agent's replies, however long: all but those in which the caller
    finished saying something, to which what came next was the answer.
    """
    asked_ms = [t.started_ms - t.response_ms for t in report.turns if t.response_ms is not None]
    return [
        silence
        for silence in report.silences
        if not any(silence.at_ms <= at <= silence.at_ms + silence.length_ms for at in asked_ms)
    ]
