"""Measures one row, in whichever process it runs."""

import logging
import os
import sys
import time
from collections.abc import Sequence
from functools import cache

from telephony.server.logs import configure
from tests.faults.table import Figure, Row, all_rows

type Place = int
"""Of a row among all."""


@cache
def known() -> Sequence[Row]:
    """All rows."""
    return all_rows()


def step_back() -> None:
    """From now on, this process runs only where nobody else wants to."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def measured(place: Place, share: float) -> tuple[Sequence[Figure], float]:
    """Measure one row. Returns how long that took, too, in seconds."""
    configure(logging.CRITICAL)  # faults are what is wanted here
    began_s = time.monotonic()
    figures = list(known()[place].measure(share))
    return figures, time.monotonic() - began_s
