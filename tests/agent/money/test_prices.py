"""Prices by model, day and line."""

from datetime import UTC, datetime

import pytest

from agent.conversation.meter import Tariff
from agent.money.prices import minute_usd, tariff

OURS, THEIRS = "+14155550199", "+14155550123"


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def test_a_known_model_has_the_prices_of_the_day() -> None:
    for name in ("gemini-3.8-live", "models/gemini-3.8-live"):
        found = tariff(name, at(2026, 11, 30), ours=OURS, theirs=THEIRS, outbound=False)
        assert found == Tariff(750, 3_000, 4_500, 12_000, 8_500_000)


def test_a_model_or_a_day_without_a_price_is_unknown() -> None:
    for name, day in (("gemini-9", at(2026, 11, 30)), ("gemini-3.8-live", at(2020, 1, 1))):
        found = tariff(name, day, ours=OURS, theirs=THEIRS, outbound=False)
        assert (found.known, found.minute) == (False, 8_500_000)


@pytest.mark.parametrize(
    ("ours", "theirs", "outbound", "usd"),
    [
        (OURS, THEIRS, False, 0.0085),
        ("+18005550199", THEIRS, False, 0.022),
        (OURS, THEIRS, True, 0.014),
        (OURS, "client:alice", False, 0.004),
        (OURS, "sip:bob@example.com", True, 0.004),
    ],
)
def test_a_minute_costs_by_direction_and_kind(
    ours: str, theirs: str, outbound: bool, usd: float
) -> None:
    assert minute_usd(ours, theirs, outbound=outbound) == usd
