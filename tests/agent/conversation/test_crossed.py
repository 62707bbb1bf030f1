"""What a nudge makes the model say, after it has answered by itself, is left out."""

import pytest

from agent.conversation.crossed import Crossed
from agent.conversation.events import (
    AgentSaid,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    TurnComplete,
    TurnEvent,
)
from agent.conversation.pace import LEAST_PATIENCE_MS, Pace

NOW_MS = 5_000
TURN: list[TurnEvent] = [
    AgentSaid(1, "Yes."),
    ReplyAudio(1, b"\1\0"),
    GenerationComplete(1),
    TurnComplete(1),
]


@pytest.fixture
def answered() -> Crossed:
    """Of a model that was nudged, and has given one answer since."""
    crossed = Crossed(Pace())
    crossed.nudged()
    assert sifted(crossed, TURN) == TURN
    return crossed


def sifted(
    crossed: Crossed, told: list[TurnEvent], now_ms: int = NOW_MS, *, waiting: bool = False
) -> list[TurnEvent]:
    return [x for e in told for x in crossed.sift(e, now_ms, caller_waits=waiting)]


def test_a_second_answer_is_left_out_and_its_turn_closed(answered: Crossed) -> None:
    assert sifted(answered, TURN, NOW_MS + 1_500) == [TurnComplete(1)]


def test_a_third_is_none_of_the_nudges(answered: Crossed) -> None:
    sifted(answered, TURN)
    assert sifted(answered, TURN) == TURN


@pytest.mark.parametrize("sign", [CallerSaid(1, "And?"), CallerActivityStarted(1), Interrupted(1)])
def test_what_the_caller_asked_for_is_heard(answered: Crossed, sign: TurnEvent) -> None:
    assert sifted(answered, [sign, *TURN]) == [sign, *TURN]


def test_what_only_we_have_heard_of_the_caller_counts_too(answered: Crossed) -> None:
    assert sifted(answered, TURN, waiting=True) == TURN


def test_what_comes_much_later_is_heard(answered: Crossed) -> None:
    assert sifted(answered, TURN, NOW_MS + LEAST_PATIENCE_MS) == TURN


def test_an_interruption_ends_what_is_left_out(answered: Crossed) -> None:
    assert sifted(answered, [*TURN[:2], Interrupted(1), *TURN]) == [Interrupted(1), *TURN]


def test_without_a_nudge_every_turn_is_heard() -> None:
    assert sifted(Crossed(Pace()), TURN + TURN) == TURN + TURN


def test_another_session_knows_nothing_of_the_nudge(answered: Crossed) -> None:
    answered.stopped()
    assert sifted(answered, TURN) == TURN


def test_a_slow_thinkers_second_answer_may_come_as_late_as_its_first() -> None:
    pace = Pace()
    crossed = Crossed(pace)
    crossed.nudged()
    pace.took(5_000)
    sifted(crossed, TURN)
    assert sifted(crossed, TURN, NOW_MS + 9_000) == [TurnComplete(1)]
