"""What a conversation costs."""

import pytest

from agent.conversation.events import UsageReported
from agent.conversation.meter import NANO, UNKNOWN, Meter, Tariff

TARIFF = Tariff(text_in=750, audio_in=3_000, text_out=4_500, audio_out=12_000, minute=8_500_000)

# As on the real service: 626 tokens, of which 312 are text and 287 audio; 63 spoken; 40 thought.
TURN = UsageReported(1, 626, 63, 40, 689, prompt_audio_tokens=287, response_audio_tokens=63)


def test_tokens_without_a_modality_and_thoughts_are_priced_too() -> None:
    usd = (287 * 3 + (626 - 287) * 0.75 + 63 * 12 + 40 * 4.5) / 1e6
    assert TARIFF.of(TURN) / NANO == pytest.approx(usd, rel=1e-9)


def test_a_reply_without_details_is_priced_as_speech() -> None:
    assert TARIFF.of(UsageReported(1, 0, 100, 0, 100)) == 100 * 12_000
    written = UsageReported(1, 0, 100, 0, 100, response_text_tokens=40)
    assert TARIFF.of(written) == 60 * 12_000 + 40 * 4_500


def test_turns_are_summed_and_each_minute_that_has_begun_counts() -> None:
    meter = Meter(TARIFF)
    meter.add(TURN)
    meter.add(TURN)
    turns = 2 * TARIFF.of(TURN)
    assert [meter.cost(ms) for ms in (1, 60_000, 60_001)] == [
        turns + 8_500_000,
        turns + 8_500_000,
        turns + 17_000_000,
    ]
    assert meter.tokens == 2 * (689 + 40)


def test_another_worker_counts_on() -> None:
    meter = Meter(TARIFF, spent=1_000, tokens=7, elapsed_ms=59_000)
    assert (meter.cost(2_000), meter.tokens) == (1_000 + 17_000_000, 7)


def test_minutes_of_an_earlier_call_do_not_count() -> None:
    meter = Meter(TARIFF, elapsed_ms=301_000, began_ms=300_000)
    assert [meter.cost(ms) for ms in (1, 59_000, 59_001)] == [8_500_000, 8_500_000, 17_000_000]


def test_an_unknown_price_is_not_0() -> None:
    meter = Meter(UNKNOWN)
    meter.add(TURN)
    assert (meter.cost(1), meter.tokens) == (None, 729)


def test_without_a_tariff_nothing_is_counted() -> None:
    meter = Meter(None)
    assert not meter.add(TURN)
    assert (meter.cost(1), meter.tokens) == (None, 0)
