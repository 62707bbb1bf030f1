"""Measure the ear over its corpus, in virtual time: figure, measured, demanded.

python -m tests.benchmarks.ear                      # quick, in both halves of the corpus
python -m tests.benchmarks.ear --manner patient --share 0.1
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from random import Random
from statistics import median

from tests.benchmarks.ear.corpus import Case, corpus
from tests.benchmarks.ear.measure import Noticed, noticed

SOON = {"quick": ("100 ms", "160 ms"), "patient": ("-", "550 ms")}
"""From a caller's onset to the agent's silence: what is demanded of the median, and of p95."""

ROW = "{:<58} {:>12} {:>12}"


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manner", choices=sorted(SOON), default="quick")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--half", choices=["tuned", "held-out"])
    asked = parser.parse_args()
    cases = [
        case
        for case in corpus()
        if Random(case.name).random() < asked.share
        and (asked.half is None or case.held_out == (asked.half == "held-out"))
    ]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(noticed, manner=asked.manner), cases, chunksize=8))
    told = list(zip(cases, found, strict=True))
    for half in (False, True):
        one = [(case, what) for case, what in told if case.held_out == half]
        if one:
            print(
                f"\n{'held out' if half else 'used for tuning'}: {len(one)} cases, {asked.manner}"
            )
            report(one, asked.manner)


def report(told: list[tuple[Case, Noticed]], manner: str) -> None:
    """Print one half."""
    yes = [(c, w) for c, w in told if c.barge_in]
    late = sorted(w.silent_after_ms for _, w in yes if w.silent_after_ms is not None)
    row("barge-ins", len(yes), "-")
    half_by, most_by = SOON[manner]
    row("onset to silence: median", f"{median(late):.0f} ms" if late else "never", half_by)
    row("onset to silence: p95", f"{late[int(len(late) * 0.95)]} ms" if late else "never", most_by)
    row("silent", f"{100 * len(late) / max(1, len(yes)):.1f} %", "98 %")
    row(
        "the reply dropped",
        f"{100 * sum(w.dropped for _, w in yes) / max(1, len(yes)):.1f} %",
        "98 %",
    )
    no = [(c, w) for c, w in told if not c.barge_in]
    row("no barge-ins", len(no), "-")
    row("dropped", f"{100 * sum(w.dropped for _, w in no) / max(1, len(no)):.1f} %", "5 %")
    held = [w for _, w in no if w.holds and not w.dropped]
    soon = sum(max(w.pauses_ms, default=0) <= 700 for w in held)
    row("held and gone on with", len(held), "-")
    row("of these within 700 ms", f"{100 * soon / max(1, len(held)):.1f} %", "95 %")
    went_on = [w for _, w in told if w.pauses_ms]
    row("gone on with, with all barge-ins", len(went_on), "-")
    for what, words, most_ms in (
        ("said twice", [w.words_twice for w in went_on], [w.twice_ms for w in went_on]),
        ("left out", [w.words_lost for w in went_on], [w.lost_ms for w in went_on]),
    ):
        row(f"of these {what}: words", sum(map(len, words)), "0")
        row(f"of these {what}: most", f"{max(most_ms, default=0)} ms", "-")
    for kind, group in groupby(sorted(told, key=lambda t: t[0].kind), key=lambda t: t[0].kind):
        each = [w for _, w in group]
        times = sorted(w.silent_after_ms for w in each if w.silent_after_ms is not None)
        mid = f"{median(times):.0f}/{times[int(len(times) * 0.95)]}" if times else "-"
        print(
            f"  {kind:<26} {len(each):>4}  silent {sum(w.holds > 0 for w in each):>4}"
            f"  dropped {sum(w.dropped for w in each):>4}  holds {Counter(w.holds for w in each)}"
            f"  {mid} ms"
        )


def row(figure: str, measured: object, demanded: str) -> None:
    """Print one row."""
    print(ROW.format(figure, str(measured), demanded))


if __name__ == "__main__":
    main()
