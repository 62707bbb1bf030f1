"""What a conversation costs."""

from dataclasses import replace

import pytest

from agent.conversation.checkpoint import NOTHING_KNOWN, Checkpoint
from agent.conversation.events import UsageReported
from agent.conversation.meter import NANO, UNKNOWN, Meter, Tariff, Tariffs
from agent.conversation.persona import DEFAULT_PERSONA
from tests.agent.conversation.conftest import Talk, lost

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
    meter = Meter(Tariffs(TARIFF))
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
    meter = Meter(Tariffs(TARIFF), replace(NOTHING_KNOWN, spent=1_000, tokens=7), 59_000)
    assert (meter.cost(2_000), meter.tokens) == (1_000 + 17_000_000, 7)


def test_minutes_of_an_earlier_call_do_not_count() -> None:
    meter = Meter(Tariffs(TARIFF), replace(NOTHING_KNOWN, began_ms=300_000), 301_000)
    assert [meter.cost(ms) for ms in (1, 59_000, 59_001)] == [8_500_000, 8_500_000, 17_000_000]


def test_an_unknown_price_is_not_0() -> None:
    meter = Meter(Tariffs(UNKNOWN))
    meter.add(TURN)
    assert (meter.cost(1), meter.tokens) == (None, 729)


def test_without_a_tariff_nothing_is_counted() -> None:
    meter = Meter()
    assert not meter.add(TURN)
    assert (meter.cost(1), meter.tokens) == (None, 0)


SECOND = Tariff(text_in=300, audio_in=1_000, text_out=2_500, audio_out=2_500, minute=8_500_000)


def talk(second: Tariff, checkpoint: Checkpoint | None = None) -> Talk:
    tariffs = Tariffs(TARIFF, second)
    talk = Talk(checkpoint, [], 1, has_fallback=True, persona=DEFAULT_PERSONA, tariffs=tariffs)
    talk.answer()
    return talk


def asks_the_second(talk: Talk) -> None:
    """The session is lost, and the model does not take another."""
    talk.tells(lost)
    talk.refused(403)


def is_billed(talk: Talk) -> None:
    """The session's model bills a turn."""
    talk.tells(lambda session: replace(TURN, session=session))


def test_each_model_bills_at_its_own_price() -> None:
    first = talk(SECOND)
    first.ready()
    is_billed(first)
    asks_the_second(first)
    assert first.opened.fallback
    first.ready()
    is_billed(first)
    both = TARIFF.of(TURN) + SECOND.of(TURN)
    assert first.checkpoint.spent == both
    other = talk(SECOND, first.checkpoint)
    assert other.opened.fallback
    other.ready()
    is_billed(other)
    assert other.checkpoint.spent == both + SECOND.of(TURN)
    assert other.conversation.meter.cost(1) == other.checkpoint.spent + SECOND.minute


def test_what_a_second_model_without_a_price_has_billed_makes_the_cost_unknown_for_good() -> None:
    first = talk(UNKNOWN)
    first.ready()
    is_billed(first)
    assert first.conversation.meter.cost(1) == TARIFF.of(TURN) + TARIFF.minute
    asks_the_second(first)
    first.ready()
    is_billed(first)
    assert first.conversation.meter.cost(1) is None
    kept = replace(first.checkpoint, fallback=False)  # another worker has no second model
    other = Meter(Tariffs(TARIFF), kept, 1)
    assert (other.cost(1), other.spent, other.tokens) == (None, TARIFF.of(TURN), 2 * 729)


def test_a_second_model_that_answered_nothing_leaves_the_cost_known() -> None:
    meter = Meter(Tariffs(TARIFF, UNKNOWN))
    meter.add(TURN)
    meter.dials(fallback=True)
    assert meter.cost(1) is None
    meter.dials(fallback=False)
    assert meter.cost(1) == TARIFF.of(TURN) + TARIFF.minute


def test_a_limit_counts_what_the_second_model_costs() -> None:
    dear = replace(SECOND, audio_out=1_000 * SECOND.audio_out)
    limited = replace(DEFAULT_PERSONA, usd=0.1, goodbye="Goodbye.")
    for second, ends in ((SECOND, False), (dear, True)):
        one = Talk(None, [], 1, has_fallback=True, persona=limited, tariffs=Tariffs(TARIFF, second))
        one.refused(403)
        one.greets()
        is_billed(one)
        assert (limited.goodbye in one.cues[-1]) is ends
