"""Opening hours."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.persona.hours import DAYS, Hours, parse, parse_day

BERLIN = Hours("Europe/Berlin", {"mon": parse("09:00-12:00, 13:00-17:30"), "sun": ()}, "Closed.")


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> int:
    """Unix time, in ms, of a time in 2026 in UTC."""
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("wall_time_ms", "is_open"),
    [
        (at(30, 7, 59), False),  # Monday, 08:59 in Berlin
        (at(30, 8), True),
        (at(30, 10, 59), True),
        (at(30, 11), False),  # noon
        (at(30, 12), True),
        (at(30, 16, 30), False),
        (at(29, 10), False),  # Sunday
        (at(1, 10, month=12), False),  # Tuesday, which is missing
        (at(13, 6, 59, month=7), False),  # a Monday in summer, 08:59
        (at(13, 7, month=7), True),
    ],
)
def test_the_hours_are_those_of_the_time_zone(wall_time_ms: int, is_open: bool) -> None:
    assert BERLIN.is_open(wall_time_ms) is is_open


def test_without_any_day_it_is_always_open() -> None:
    assert Hours("Europe/Berlin", {}, "").is_open(at(29, 3))


def test_a_day_may_be_whole_or_closed() -> None:
    assert parse("00:00-24:00") == ((0, 1440),)
    assert parse(" ") == ()


NIGHTS = Hours(
    "Europe/Berlin",
    {"fri": parse("20:00-02:30", past_midnight=True), "sat": parse("20:00-24:00")},
    "Closed.",
    frozenset({"2026-12-25", "01-01"}),
)
"""On 25 October the clocks go back from 03:00 to 02:00, and on 29 March on from 02:00 to 03:00."""


@pytest.mark.parametrize(
    ("wall_time_ms", "is_open"),
    [
        (at(27, 18, 59), False),  # Friday, 19:59 in Berlin
        (at(27, 19), True),
        (at(27, 23, 30), True),  # Saturday, 00:30
        (at(28, 1, 29), True),
        (at(28, 1, 30), False),  # Saturday, 02:30
        (at(28, 19), True),
        (at(28, 23), False),  # midnight
        (at(25, 20, month=12), False),  # a Friday that is a holiday
        (at(26, 0, month=12), False),  # and its night
        (at(26, 19, month=12), True),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_begin(
    wall_time_ms: int, is_open: bool
) -> None:
    assert NIGHTS.is_open(wall_time_ms) is is_open


def test_a_holiday_without_a_year_is_one_each_year() -> None:
    always = Hours("UTC", {}, "", frozenset({"12-25"}))
    assert [always.is_open(at(day, 12, month=12)) for day in (24, 25, 26)] == [True, False, True]
    assert always.opens_next(at(24, 12, month=12)) == at(26, 0, month=12)


def test_an_opening_is_told_by_the_clocks_there() -> None:
    sundays = Hours("Europe/Berlin", {"sun": parse("02:30-05:00")}, "")
    skipped = sundays.opens_next(at(29, 0, 59, month=3))  # 01:59, and then it is 03:00
    assert skipped == at(29, 1, month=3)
    twice = sundays.opens_next(at(25, 0, 40, month=10))  # 02:40 for the first time
    assert twice == at(25, 1, 30, month=10)  # 02:30 for the second time
    assert Hours("UTC", {"mon": ()}, "").opens_next(at(1, 0)) is None
    assert Hours("UTC", {}, "").opens_next(at(1, 0)) is None


@pytest.mark.parametrize("text", ["2026-12-24", "02-29", "2028-02-29"])
def test_a_holiday_is_a_date(text: str) -> None:
    assert parse_day(text) == text


@pytest.mark.parametrize("text", ["1\uff12-24", "2026-02-29", "24.12.", "13-01", "", "2026-1-1"])
def test_a_holiday_is_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="expected a date such as"):
        parse_day(text)


HALF_HOUR_MS = 1_800_000
WEEK = 7 * 48

halves = st.integers(0, 47)
intervals = (
    st.tuples(halves, halves)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: (pair[0] * 30, (pair[1] + 48 * (pair[1] < pair[0])) * 30))
)


@settings(max_examples=30)
@given(
    timezone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    days=st.dictionaries(st.sampled_from(DAYS), intervals.map(lambda one: (one,)), min_size=1),
    month=st.sampled_from([(25, 10), (28, 3), (4, 4), (1, 11), (7, 3), (4, 10), (15, 7)]),
    half=halves,
)
def test_the_next_opening_is_the_first_half_hour_that_is_open_after_one_that_is_not(
    timezone: str, days: dict[str, tuple[tuple[int, int], ...]], month: tuple[int, int], half: int
) -> None:
    hours = Hours(timezone, days, "")
    now_ms = at(month[0], 0, month=month[1]) + half * HALF_HOUR_MS
    states = [hours.is_open(now_ms + n * HALF_HOUR_MS) for n in range(2 * WEEK)]
    found = [n for n in range(1, len(states)) if states[n] and not states[n - 1]]
    expected = now_ms + found[0] * HALF_HOUR_MS if found else None
    assert hours.opens_next(now_ms) == expected
