"""Opening hours: intervals for each weekday, in one time zone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The keys of the weekdays, in the order of `datetime.weekday`."""

MINUTES_A_DAY = 24 * 60

_INTERVAL = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})\s*").fullmatch

_DATE = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})").fullmatch

MS_PER_MINUTE = 60_000
LOOKS_AHEAD_DAYS = 400
"""For an opening: a year of holidays, and some."""

type Interval = tuple[int, int]
"""From which minute of the day until which; the end does not belong to it. An end beyond
`MINUTES_A_DAY` is on the next day.
"""


def parse(text: str, *, past_midnight: bool = False) -> tuple[Interval, ...]:
    """Read the intervals of a day.

    Args:
        text: Such as ``"09:00-17:30"`` or ``"09:00-12:00, 13:00-17:30"``; ``""`` for a closed day.
        past_midnight: Whether the last one may end on the next day, as ``"20:00-02:00"`` does.

    Raises:
        ValueError: It is not that. The message says what was expected.
    """
    if not text.strip():
        return ()
    intervals = [_interval(part, past_midnight) for part in text.split(",")]
    for (_, before), (after, _) in pairwise(intervals):
        if after < before:
            raise ValueError(f"expected intervals one after the other, got {text!r}")
    return tuple(intervals)


def parse_day(text: str) -> str:
    """Read the date of a holiday: ``"2026-12-24"``, or ``"12-25"`` for that day of each year.

    Raises:
        ValueError: It is not that. The message says what was expected.
    """
    found = _DATE(text)
    try:
        day = found and date(int(found[1] or 2000), int(found[2]), int(found[3]))
    except ValueError:
        day = None
    if day is None:
        raise ValueError(
            f'expected a date such as "2026-12-24", or "12-25" for each year, got {text!r}'
        )
    return text


def _interval(text: str, past_midnight: bool) -> Interval:
    found = _INTERVAL(text)
    if found is None:
        raise ValueError(f'expected hours such as "09:00-17:30", got {text.strip()!r}')
    hour, minute, until_hour, until_minute = map(int, found.groups())
    begins, ends = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or ends > MINUTES_A_DAY:
        raise ValueError(f"expected times from 00:00 to 24:00, got {text.strip()!r}")
    if past_midnight and ends < begins:
        return begins, ends + MINUTES_A_DAY
    if begins >= ends:
        raise ValueError(
            f"expected an end after the beginning, got {text.strip()!r}"
            + ("" if past_midnight else "; hours past midnight belong to the next day")
        )
    return begins, ends


@dataclass(frozen=True, slots=True)
class Hours:
    """When an agent answers.

    Args:
        timezone: An IANA time zone, such as ``"Europe/Berlin"``.
        days: The intervals of each weekday, by its key in `DAYS`; a day that is missing is closed.
            Without any day, the agent always answers, but on holidays.
        closed: What is said to a caller outside these hours.
        holidays: Dates on which no interval begins, as `parse_day` reads them.
    """

    timezone: str
    days: Mapping[str, tuple[Interval, ...]]
    closed: str
    holidays: frozenset[str] = frozenset()

    def is_open(self, wall_time_ms: int) -> bool:
        """Whether the agent answers at this time (Unix, in ms): by the clocks on the wall there, so
        an hour that they repeat counts twice, and one that they skip never.
        """
        at = local(wall_time_ms, self.timezone)
        minute, today = at.hour * 60 + at.minute, at.date()
        return any(begins <= minute < ends for begins, ends in self._of(today)) or any(
            minute + MINUTES_A_DAY < ends for _, ends in self._of(today - timedelta(days=1))
        )

    def opens_next(self, wall_time_ms: int) -> int | None:
        """When it is closed and then opens, after this time (both Unix, in ms; to the minute). None
        if it never does in the next 400 days.
        """
        today = local(wall_time_ms, self.timezone).date()
        for ahead in range(LOOKS_AHEAD_DAYS):
            day = today + timedelta(days=ahead)
            begins = [minute for minute, _ in self._of(day)]
            opens = sorted(at_ms for minute in begins for at_ms in self._times_of(day, minute))
            for at_ms in opens:
                closed_before = not self.is_open(at_ms - MS_PER_MINUTE)
                if at_ms > wall_time_ms and closed_before and self.is_open(at_ms):
                    return at_ms
        return None

    def _times_of(self, day: date, minute: int) -> tuple[int, ...]:
        """When the clocks show a time of a day: once, twice if they are set back over it; where
        they skip it, the first time behind it at which it is open.
        """
        wall = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(self.timezone))
        first_ms, second_ms = (int(wall.replace(fold=n).timestamp() * 1000) for n in (0, 1))
        if second_ms >= first_ms:
            return first_ms, second_ms
        behind = range(second_ms, first_ms + 1, MS_PER_MINUTE)
        return tuple(at_ms for at_ms in behind if self.is_open(at_ms))[:1]

    def _of(self, day: date) -> tuple[Interval, ...]:
        """The intervals that begin on a day."""
        if day.isoformat() in self.holidays or day.isoformat()[5:] in self.holidays:
            return ()
        return self.days.get(DAYS[day.weekday()], ()) if self.days else ((0, MINUTES_A_DAY),)


def local(wall_time_ms: int, timezone: str) -> datetime:
    """The local time of a Unix time in ms; UTC if `timezone` is ""."""
    zone = ZoneInfo(timezone) if timezone else UTC
    return datetime.fromtimestamp(wall_time_ms / 1000, zone)
