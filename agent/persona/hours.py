"""Opening hours: intervals for each weekday, in one time zone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The keys of the weekdays, in the order of `datetime.weekday`."""

MINUTES_A_DAY = 24 * 60

_INTERVAL = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*").fullmatch

type Interval = tuple[int, int]
"""From which minute of the day until which; the end does not belong to it."""


def parse(text: str) -> tuple[Interval, ...]:
    """Read the intervals of a day.

    Args:
        text: Such as ``"09:00-17:30"`` or ``"09:00-12:00, 13:00-17:30"``; ``""`` for a closed day.

    Raises:
        ValueError: It is not that. The message says what was expected.
    """
    if not text.strip():
        return ()
    intervals = [_interval(part) for part in text.split(",")]
    for (_, before), (after, _) in pairwise(intervals):
        if after < before:
            raise ValueError(f"expected intervals one after the other, got {text!r}")
    return tuple(intervals)


def _interval(text: str) -> Interval:
    found = _INTERVAL(text)
    if found is None:
        raise ValueError(f'expected hours such as "09:00-17:30", got {text.strip()!r}')
    hour, minute, until_hour, until_minute = map(int, found.groups())
    begins, ends = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or ends > MINUTES_A_DAY:
        raise ValueError(f"expected times from 00:00 to 24:00, got {text.strip()!r}")
    if begins >= ends:
        raise ValueError(
            f"expected an end after the beginning, got {text.strip()!r}; hours past midnight "
            "belong to the next day"
        )
    return begins, ends


@dataclass(frozen=True, slots=True)
class Hours:
    """When an agent answers.

    Args:
        timezone: An IANA time zone, such as ``"Europe/Berlin"``.
        days: The intervals of each weekday, by its key in `DAYS`; a day that is missing is closed.
            Without any day, the agent always answers.
        closed: What is said to a caller outside these hours.
    """

    timezone: str
    days: Mapping[str, tuple[Interval, ...]]
    closed: str

    def is_open(self, wall_time_ms: int) -> bool:
        """Whether the agent answers at this time (Unix, in ms)."""
        if not self.days:
            return True
        at = local(wall_time_ms, self.timezone)
        minute = at.hour * 60 + at.minute
        today = self.days.get(DAYS[at.weekday()], ())
        return any(begins <= minute < ends for begins, ends in today)


def local(wall_time_ms: int, timezone: str) -> datetime:
    """The local time of a Unix time in ms; UTC if `timezone` is ""."""
    zone = ZoneInfo(timezone) if timezone else UTC
    return datetime.fromtimestamp(wall_time_ms / 1000, zone)
