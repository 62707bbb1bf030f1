"""Prices by model, day and line."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.conversation.meter import UNKNOWN, Tariff, Tariffs
from agent.money.ahead import TOKENS_A_MINUTE, first_minute
from agent.money.prices import MODELS, Row, _of_others, minute_usd, of_model, tariffs

OURS, THEIRS = "+14155550199", "+14155550123"


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def test_a_known_model_has_the_prices_of_the_day() -> None:
    for name in ("gemini-3.8-live", "models/gemini-3.8-live"):
        found = tariffs(name, None, at(2026, 11, 30), ours=OURS, theirs=THEIRS, outbound=False)
        assert found == Tariffs(Tariff(750, 3_000, 4_500, 12_000, 8_500_000))


def test_the_second_model_has_its_own_prices() -> None:
    models = "gemini-3.8-live", "gemini-2.5-flash"
    found = tariffs(*models, at(2026, 11, 30), ours=OURS, theirs=THEIRS, outbound=False)
    assert found.fallback == Tariff(300, 1_000, 2_500, 2_500, 8_500_000)
    nobody = tariffs(models[0], "gemini-9", at(2026, 11, 30), ours=OURS, theirs="", outbound=False)
    assert nobody.fallback == replace(UNKNOWN, minute=8_500_000)


def test_the_first_minute_is_that_of_the_dearer_model() -> None:
    cheap, dear = Tariff(1, 2, 3, 4, minute=1_000), Tariff(1, 3, 3, 5, minute=1_000)
    needed = 2_000 + TOKENS_A_MINUTE * (3 + 5)
    assert [first_minute(Tariffs(*two)) for two in ((cheap, dear), (dear, cheap))] == [needed] * 2
    assert first_minute(Tariffs(dear, UNKNOWN)) == first_minute(Tariffs(dear)) == needed
    assert first_minute(Tariffs(UNKNOWN)) == 0


@pytest.mark.parametrize(
    ("model", "day", "text_in", "audio_in", "text_out", "audio_out"),
    [
        ("gemini-3.8-flash", at(2026, 11, 30), 750, 750, 3_750, 3_750),
        ("gemini-3.8-flash", at(2027, 1, 1), 1_500, 1_500, 7_500, 7_500),
        ("gemini-3.8-flash-001", at(2026, 11, 30), 750, 750, 3_750, 3_750),
        ("gemini-flash-latest", at(2026, 11, 30), 750, 750, 3_750, 3_750),
        ("gemini-2.5-flash", at(2026, 11, 30), 300, 1_000, 2_500, 2_500),
        ("gemini-2.5-pro", at(2026, 11, 30), 1_250, 1_250, 10_000, 10_000),
    ],
)
def test_another_model_has_the_prices_that_genai_prices_knows(
    model: str, day: int, text_in: int, audio_in: int, text_out: int, audio_out: int
) -> None:
    assert of_model(model, day) == Tariff(text_in, audio_in, text_out, audio_out)


@pytest.mark.parametrize("row", [row for row in MODELS if row.model == "gemini-3.8-live"])
def test_our_own_rows_are_what_genai_prices_knows(row: Row) -> None:
    day = datetime.combine(row.since, datetime.min.time(), UTC)
    assert _of_others(row.model, day) == row.tariff


@pytest.mark.parametrize(
    "model", ["gemini-3.8-flash-of-tomorrow", "gemini-3.8-flash-tts2", "gpt-5", ""]
)
def test_a_name_that_only_begins_like_a_known_one_has_no_price(model: str) -> None:
    assert not of_model(model, at(2026, 11, 30)).known


def test_a_model_or_a_day_without_a_price_is_unknown() -> None:
    for name, day in (("gemini-9", at(2026, 11, 30)), ("gemini-3.8-live", at(2020, 1, 1))):
        found = tariffs(name, None, day, ours=OURS, theirs=THEIRS, outbound=False)
        assert found == Tariffs(replace(UNKNOWN, minute=8_500_000))


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
