"""The tables of turns: the one in the docstring is the one that runs."""

import pytest

from agent.conversation import turns
from agent.conversation.turns import DROP_LIMIT_MS, GENERATION, Floor, Generation, Sign, Turns


def documented() -> dict[tuple[Generation, Sign], Generation]:
    """The table of the module's docstring; a dash is no entry, ¹ a footnote."""
    rows = [line.split() for line in (turns.__doc__ or "").splitlines()]
    start = next(i for i, row in enumerate(rows) if row[:1] == ["generation"])
    signs = [Sign[name] for name in rows[start][1:]]
    table = {}
    for row in rows[start + 1 : start + 1 + len(Generation)]:
        for sign, cell in zip(signs, row[1:], strict=True):
            if cell != "-":
                table[Generation[row[0]], sign] = Generation[cell.rstrip("¹")]
    return table


def test_the_documented_table_is_the_one_that_runs() -> None:
    assert documented() == GENERATION


@pytest.mark.parametrize("generation", Generation)
def test_every_sign_of_the_model_has_a_place_in_every_state(generation: Generation) -> None:
    by_model = [sign for sign in Sign if sign is not Sign.DROP_EXPIRED]
    assert all((generation, sign) in GENERATION for sign in by_model)


def test_only_a_drop_can_expire() -> None:
    expiring = {state for state, sign in GENERATION if sign is Sign.DROP_EXPIRED}
    assert expiring == {Generation.DROPPING}


def test_nothing_but_the_end_of_a_turn_a_limit_or_a_loss_ends_dropping() -> None:
    ends = {
        sign for sign in Sign if GENERATION[Generation.DROPPING, sign] is not Generation.DROPPING
    }
    assert ends == {Sign.TURN_DONE, Sign.DROP_EXPIRED, Sign.LOST}


def at(generation: Generation) -> Turns:
    turns = Turns()
    turns.generation = generation
    return turns


@pytest.mark.parametrize("generation", Generation)
def test_the_agent_has_the_floor_while_it_is_heard(generation: Generation) -> None:
    assert at(generation).floor(playing=True) is Floor.AGENT


@pytest.mark.parametrize("generation", Generation)
def test_unheard_the_agent_has_the_floor_only_while_generating(generation: Generation) -> None:
    agent_has_it = at(generation).floor(playing=False) is Floor.AGENT
    assert agent_has_it is (generation is Generation.GENERATING)


def test_dropping_expires_a_second_after_the_interruption() -> None:
    turns = Turns()
    turns.move(Sign.INTERRUPTED, 5_000)
    assert turns.deadline_ms() == 5_000 + DROP_LIMIT_MS
    dropping = []
    for now_ms in (5_000, 5_999, 6_000):
        turns.expire(now_ms)
        dropping.append(turns.dropping)
    assert dropping == [True, True, False]
    assert turns.deadline_ms() is None


def test_what_is_stale_does_not_prolong_the_dropping() -> None:
    turns = Turns()
    turns.move(Sign.INTERRUPTED, 5_000)
    turns.move(Sign.AUDIO, 5_900)
    turns.move(Sign.GENERATION_DONE, 5_900)
    assert turns.deadline_ms() == 5_000 + DROP_LIMIT_MS


@pytest.mark.parametrize("sign", [Sign.TURN_DONE, Sign.LOST])
def test_a_turn_that_is_closed_or_lost_has_no_limit(sign: Sign) -> None:
    turns = Turns()
    turns.move(Sign.INTERRUPTED, 5_000)
    turns.move(sign, 5_100)
    assert turns.generation is Generation.IDLE
    assert turns.deadline_ms() is None
