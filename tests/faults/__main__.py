"""Inject every fault of the table, and print each result beside its demand.

python -m tests.faults                    # the full numbers, as `make faults`
python -m tests.faults 20 24 --share 0.1  # two rows, a tenth of the numbers

Rows in real time come first. Those that mostly wait and have no wall time run three at a time, all
others alone. Rows in virtual time run at idle priority all the while, as many at once as there are
cores, the dearest first: they take only the time that the others leave. Where the system has no
such priority they follow. Each row is printed when it is done. The rows that are tested elsewhere,
or not yet, are listed at the end. The exit code is 1 if a figure falls short that is not a wall
time. out/faults.json has all figures too, by row.
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.elsewhere import ELSEWHERE
from tests.faults.measuring import Place, known, measured, step_back
from tests.faults.table import FULL, Figure, Row

OUT = Path("out/faults.json")

BESIDE = 3
"""So many rows in real time run at once, if they mostly wait."""

type Told = dict[str, Any]
LINE = "{:>3}  {:<62}  {:>12}  {:>12}  {}"


def main() -> int:
    """Measure what is asked for, and print it row by row."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="all without one")
    parser.add_argument("--share", type=_share, default=FULL, help="of the full numbers, 0 to 1")
    asked = parser.parse_args()
    numbers = {row.number for row in known()}
    if unknown := sorted(set(asked.rows) - numbers):
        parser.error(f"expected rows of {sorted(numbers)}, got {unknown}")
    began_s = time.monotonic()
    wanted = set(asked.rows) or numbers
    places = [place for place, row in enumerate(known()) if row.number in wanted]
    print(LINE.format("row", "figure", "reached", "demanded", ""))
    found = dict(all_measured(places, asked.share))
    rows = [found[place] for place in places]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not asked.rows:
        print("\nnot measured here, but:")
        for other in ELSEWHERE:
            print(f"{other.number:>3}  {other.fault}: {other}")
    short = [(row, figure) for row in rows for figure in row["figures"] if figure["short"]]
    if short:
        print("\nshort, wall times included:")
        for row, figure in short:
            what = f"{figure['what']}: {figure['reached']:g} {figure['unit']}".rstrip()
            print(f"{row['row']:>3}  {what} (demanded {figure['demanded']})")
    failed = sum(figure["failed"] for _, figure in short)
    minutes = (time.monotonic() - began_s) / 60
    print(f"\n{len(wanted)} rows, {failed} figures fall short; {minutes:.0f} min; all of it: {OUT}")
    return 1 if failed else 0


def all_measured(places: Sequence[Place], share: float) -> Iterator[tuple[Place, Told]]:
    """Measure rows, print each, and return it as it is written down, as each is done."""
    virtual = sorted((p for p in places if known()[p].virtual), key=_cost_s, reverse=True)
    real = [place for place in places if not known()[place].virtual]
    # Not forked: what a process of ours keeps for itself must not be shared by all of them.
    anew = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=anew, initializer=step_back) as idle:
        if sys.platform == "linux":
            computed = _submitted(idle, virtual, share)
        yield from _all_real(real, share)
        if sys.platform != "linux":
            computed = _submitted(idle, virtual, share)
        yield from _as_done(computed, share)


def _all_real(places: Sequence[Place], share: float) -> Iterator[tuple[Place, Told]]:
    beside = [place for place in places if known()[place].beside]
    with ProcessPoolExecutor(BESIDE, multiprocessing.get_context("spawn")) as processes:
        yield from _as_done(_submitted(processes, beside, share), share)
    for place in places:
        if not known()[place].beside:
            yield place, told(known()[place], share, *measured(place, share))


type _Measuring = dict[Future[tuple[Sequence[Figure], float]], Place]


def _submitted(pool: ProcessPoolExecutor, places: Sequence[Place], share: float) -> _Measuring:
    return {pool.submit(measured, place, share): place for place in places}


def _as_done(measuring: _Measuring, share: float) -> Iterator[tuple[Place, Told]]:
    for done in as_completed(measuring):
        place = measuring[done]
        yield place, told(known()[place], share, *done.result())


def _cost_s(place: Place) -> int:
    return known()[place].cost_s


def told(row: Row, share: float, figures: Sequence[Figure], took_s: float) -> Told:
    """Print a row, and return it as it is written down."""
    print(LINE.format(row.number, row.fault, "", "", f"({took_s:.0f} s)"))
    for figure in figures:
        print(LINE.format("", f"  {figure.what}", *_columns(figure)), flush=True)
    return {
        "row": row.number,
        "fault": row.fault,
        "share": share,
        "took_s": round(took_s, 1),
        "figures": [written(figure) for figure in figures],
    }


def written(figure: Figure) -> Told:
    """As in the file."""
    demanded = None if figure.demanded is None else str(figure.demanded)
    return asdict(figure) | {"demanded": demanded, "short": figure.short, "failed": figure.failed}


def _columns(figure: Figure) -> Sequence[str]:
    unit = f" {figure.unit}" if figure.unit else ""
    demanded = "-" if figure.demanded is None else f"{figure.demanded}{unit}"
    notes = ["SHORT"] * figure.short + ["wall time"] * figure.wall_time
    notes += [figure.known] * (figure.short and bool(figure.known))
    return f"{figure.reached:g}{unit}", demanded, ", ".join(notes)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, got {text}")
    return share


if __name__ == "__main__":
    sys.exit(main())
