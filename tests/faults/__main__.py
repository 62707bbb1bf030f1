"""Inject every fault of the table, and print each result beside its demand.

python -m tests.faults                    # the full numbers, as `make faults`
python -m tests.faults 20 24 --share 0.1  # two rows, a tenth of the numbers

Rows in real time run alone on the machine. Rows in virtual time follow, as many at once as there
are cores. The rows that are tested elsewhere, or not yet, are listed after them. The exit code is 1
if a figure falls short that is not a wall time. out/faults.json has all figures too.
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

from telephony.server.logs import configure
from tests.faults.elsewhere import ELSEWHERE
from tests.faults.table import FULL, Figure, Row, all_rows

OUT = Path("out/faults.json")

type Told = dict[str, Any]

LINE = "{:>3}  {:<58}  {:>12}  {:>12}  {}"


@cache
def known() -> dict[int, Row]:
    """All rows, by number."""
    return {row.number: row for row in all_rows()}


def main() -> int:
    """Measure what is asked for, and print it row by row."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="all without one")
    parser.add_argument("--share", type=_share, default=FULL, help="of the full numbers, 0 to 1")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.rows) - known().keys()):
        parser.error(f"expected rows of {sorted(known())}, got {unknown}")
    rows = [known()[number] for number in asked.rows or known()]
    print(LINE.format("row", "figure", "reached", "demanded", ""))
    found = list(all_measured(rows, asked.share))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not asked.rows:
        print("\nnot measured here, but:")
        for row in ELSEWHERE:
            print(f"{row.number:>3}  {row.fault}: {row}")
    short = sum(figure["failed"] for row in found for figure in row["figures"])
    print(f"\n{len(found)} rows, {short} figures fall short; all of it: {OUT}")
    return 1 if short else 0


def all_measured(rows: Iterable[Row], share: float) -> Iterator[Told]:
    """Measure rows, print each, and return it as it is written down."""
    virtual = [row.number for row in rows if row.virtual]
    for row in rows:
        if not row.virtual:
            yield told(row, share, *measured(row.number, share))
    with ProcessPoolExecutor() as processes:
        each = processes.map(measured, virtual, repeat(share))
        for number, found in zip(virtual, each, strict=True):
            yield told(known()[number], share, *found)


def measured(number: int, share: float) -> tuple[Sequence[Figure], float]:
    """Measure one row. Returns how long that took, too, in seconds."""
    configure(logging.CRITICAL)  # faults are what is wanted here
    began_s = time.monotonic()
    figures = known()[number].measure(share)
    return figures, time.monotonic() - began_s


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
