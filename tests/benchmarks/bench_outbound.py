"""What a service hears that screens a call of the agent's, such as that of iOS 26: measured in
virtual time, beside what is demanded.

    python tests/benchmarks/bench_outbound.py

Figures only: some of these calls are judged by tests/worlds/test_screening.py. Calls that may not
be placed are rows 47 and 48 of `make faults`.
"""
# ruff: noqa: T201 -- printing is what this script is for

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported, so before it
sys.path.insert(0, str(Path(__file__).parents[2]))  # the worlds are shared with the tests

from tests.worlds.screened import ANSWER_MS, WAITS_MS, screen

CALLS = 200


def main() -> None:
    """Print one table: figure, measured, demanded."""
    calls = [screen(seed) for seed in range(CALLS)]
    print(f"{CALLS} screened calls; the person picks up {WAITS_MS / 1000:.0f} s after the answer")
    row("figure", "measured", "demanded")
    row("question's end to the answer's first sound, most", f"{max(c.begun_ms for c in calls)} ms")
    whole_ms = sorted(call.whole_ms for call in calls)
    row("to the end of name and reason, median", f"{whole_ms[CALLS // 2]} ms")
    row("to the end of name and reason, most", f"{whole_ms[-1]} ms", f"≤ {ANSWER_MS} ms")
    row("sound of the agent while the service waits", f"{sum(c.waiting_ms for c in calls)} ms", "0")
    row("persons who speak then, and get a reply", sum(c.replied for c in calls), str(CALLS))


def row(figure: str, measured: object, demanded: str = "-") -> None:
    """One line of the table."""
    print(f"  {figure:<50}{measured!s:>10}   {demanded}")


if __name__ == "__main__":
    main()
