"""When a call leaves a worker that is to stop."""

from telephony.call.hand_over import HAND_OVER_MS, MARGIN_MS, HandOver


def test_without_a_drain_nothing_is_due() -> None:
    plan = HandOver()
    assert not plan.due(10**9, pause=True)
    assert plan.deadline_ms() is None


def test_a_long_budget_lets_calls_end_by_themselves_first() -> None:
    plan = HandOver()
    plan.requested(1_000, 20 * 60_000)
    assert not plan.due(2_000, pause=True)
    assert plan.deadline_ms() == 1_000 + 20 * 60_000 - HAND_OVER_MS


def test_late_in_the_budget_a_pause_is_enough() -> None:
    plan = HandOver()
    plan.requested(0, 30_000)
    assert not plan.due(20_000, pause=False)
    assert plan.due(20_020, pause=True)


def test_a_short_budget_looks_for_a_pause_at_once() -> None:
    plan = HandOver()
    plan.requested(500, 5_000)
    assert plan.due(500, pause=True)


def test_before_the_budgets_end_it_is_due_without_a_pause() -> None:
    plan = HandOver()
    plan.requested(0, 30_000)
    assert not plan.due(30_000 - MARGIN_MS - 1, pause=False)
    assert plan.deadline_ms() == 30_000 - MARGIN_MS
    assert plan.due(30_000 - MARGIN_MS, pause=False)


def test_no_budget_is_due_at_once() -> None:
    plan = HandOver()
    plan.requested(700, 0)
    assert plan.due(700, pause=False)


def test_while_the_store_is_away_a_pause_is_not_enough() -> None:
    plan = HandOver()
    plan.requested(0, 30_000)
    plan.store(away=True)
    assert not plan.due(20_020, pause=True)
    assert plan.due(30_000 - MARGIN_MS, pause=True)
    plan.store(away=False)
    assert plan.due(20_020, pause=True)
