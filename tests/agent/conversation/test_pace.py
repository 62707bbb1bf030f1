"""How long a model may think."""

from agent.conversation.pace import LEAST_PATIENCE_MS, REMEMBERED, Pace


def test_nothing_is_known_at_first() -> None:
    assert Pace().patience_ms() == LEAST_PATIENCE_MS == 4_000


def test_what_is_known_of_the_model_counts_until_it_has_answered() -> None:
    pace = Pace(5_000)
    assert pace.patience_ms() == 10_000
    pace.took(1_500)
    assert pace.patience_ms() == LEAST_PATIENCE_MS


def test_a_slow_model_is_given_twice_its_usual_time() -> None:
    pace = Pace()
    for _ in range(3):
        pace.took(5_000)
    assert pace.patience_ms() == 10_000


def test_one_late_answer_makes_no_slow_model() -> None:
    pace = Pace()
    for took_ms in (1_200, 6_000):
        pace.took(took_ms)
    assert pace.usual_ms == 1_200


def test_only_the_last_answers_count() -> None:
    pace = Pace()
    for took_ms in [9_000] * 10 + [1_000] * REMEMBERED:
        pace.took(took_ms)
    assert pace.usual_ms == 1_000
