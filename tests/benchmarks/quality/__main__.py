"""`make quality`: sixty real prompts each way through the running server, judged by others.

    python -m tests.benchmarks.quality [--json PATH]

The model's 24 kHz are made from the 8 kHz prompts with soxr. Exits 1 if a figure is not as wanted,
2 if nothing could be measured.

While the calls have streams, the measuring process looks every 10 ms how late it is itself: both
simulators live in it. A run in which it was late by more than 200 ms tells of the machine: it is
measured again, whatever its figures are, and says so. No other run is.
"""
# ruff: noqa: T201 -- printing is what this script is for

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.quality.calls import CallSpoiltError
from tests.benchmarks.quality.figures import Figure
from tests.benchmarks.quality.measure import MOST_STALL_MS, measure
from tests.benchmarks.quality.prompts import Prompt, PromptsMissingError, choose, fetch

ATTEMPTS = 3

CACHE = Path(__file__).parents[3] / ".cache"


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make quality", description="Speech quality, both ways.")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    path: Path | None = parser.parse_args().json
    try:
        found = measured(choose(fetch(CACHE)))
        if path is not None:
            shown = [asdict(figure) | {"met": figure.met} for figure in found]
            path.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")
    except (PromptsMissingError, CallSpoiltError, OSError) as error:
        print(f"quality: {error}", file=sys.stderr)
        return 2
    return tell(found)


def measured(prompts: Sequence[Prompt]) -> list[Figure]:
    """The figures of the first run in which this process was not stalled; or of the last.

    Raises:
        CallSpoiltError: A call of that run did not go as planned.
    """
    for attempt in range(1, ATTEMPTS + 1):
        found: list[Figure] | CallSpoiltError
        try:
            found, stall_ms = measure(prompts)
        except CallSpoiltError as spoilt:
            found, stall_ms = spoilt, spoilt.stall_ms
        print(f"run {attempt} of {ATTEMPTS}: this process stalled for {stall_ms:.0f} ms at most")
        if stall_ms <= MOST_STALL_MS:
            break
        print(f"more than {MOST_STALL_MS} ms: the machine was busy", flush=True)
    if isinstance(found, CallSpoiltError):
        raise found
    return found


def tell(found: Sequence[Figure]) -> int:
    """Print the table; 1 if a figure is not as wanted, or 0."""
    print(f"{'way':<17}{'figure':<31}{'measured':>9}   {'wanted':<9}met")
    for figure in found:
        bound = "≥" if figure.at_least else "≤"
        wanted, met = "-", "-"
        if figure.wanted is not None:
            wanted, met = f"{bound} {figure.wanted:g}", "yes" if figure.met else "NO"
        print(f"{figure.way:<17}{figure.name:<31}{_shown(figure.measured):>9}   {wanted:<9}{met}")
    missed = [f"{figure.name}, {figure.way}" for figure in found if not figure.met]
    if missed:
        print(f"quality: not as wanted: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _shown(measured: float) -> str:
    return str(measured) if isinstance(measured, int) else f"{measured:.3f}"


if __name__ == "__main__":
    sys.exit(main())
