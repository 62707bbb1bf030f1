"""Opening hours."""

from datetime import UTC, datetime

import pytest

from agent.persona.hours import Hours, parse

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
