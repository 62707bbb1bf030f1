"""Whether what is told of the caller cuts what is heard of the agent."""

import pytest

from agent.conversation.barge_in import (
    TOLD_LATE_MS,
    VERDICTS,
    WRITTEN_LATE_MS,
    Evidence,
    Standing,
    Verdict,
    of_activity,
    of_words,
    standing,
    verdict,
)
from agent.conversation.reply import Reply, State
from agent.conversation.turns import Generation

BEGAN_MS = 1_000


def heard(state: State = State.RECEIVED, *, lacks_question: bool = False) -> Reply:
    return Reply(1, BEGAN_MS, lacks_question=lacks_question, state=state)


def test_the_table_has_a_verdict_for_every_case() -> None:
    assert set(VERDICTS) == set(Evidence)
    assert all(set(of_one) == set(Standing) for of_one in VERDICTS.values())


@pytest.mark.parametrize(
    ("newest", "generation", "stands"),
    [
        (None, Generation.IDLE, Standing.NONE),
        (heard(State.CUT), Generation.COMPLETE, Standing.NONE),
        (heard(State.HEARD), Generation.IDLE, Standing.NONE),
        (heard(State.BROKEN_OFF), Generation.IDLE, Standing.BROKEN_OFF),
        (heard(State.RECEIVING), Generation.GENERATING, Standing.GENERATED),
        (heard(), Generation.COMPLETE, Standing.RECEIVED),
        (heard(), Generation.IDLE, Standing.CLOSED),
    ],
)
def test_how_a_reply_stands_follows_from_it_and_from_what_the_model_does(
    newest: Reply | None, generation: Generation, stands: Standing
) -> None:
    assert standing(newest, generation, spoke=False) is stands


@pytest.mark.parametrize(
    ("after_ms", "evidence"),
    [(TOLD_LATE_MS, Evidence.LATE_ACTIVITY), (TOLD_LATE_MS + 1, Evidence.ACTIVITY)],
)
def test_activity_that_is_told_soon_may_be_of_the_question(
    after_ms: int, evidence: Evidence
) -> None:
    assert of_activity(heard(), BEGAN_MS + after_ms) is evidence


@pytest.mark.parametrize(
    ("lacks_question", "generation", "after_ms", "spoke", "evidence"),
    [
        (True, Generation.GENERATING, 9_000, True, Evidence.LATE_WORDS),
        (True, Generation.IDLE, WRITTEN_LATE_MS, True, Evidence.LATE_WORDS),
        (True, Generation.IDLE, WRITTEN_LATE_MS + 1, True, Evidence.WORDS),
        (True, Generation.IDLE, WRITTEN_LATE_MS + 1, False, Evidence.LATE_WORDS),
        (False, Generation.IDLE, 0, True, Evidence.WORDS),
        (False, Generation.IDLE, 9_000, False, Evidence.LATE_WORDS),
    ],
)
def test_words_that_come_late_are_of_the_question_that_is_lacking(
    lacks_question: bool, generation: Generation, after_ms: int, spoke: bool, evidence: Evidence
) -> None:
    newest = heard(lacks_question=lacks_question)
    assert of_words(newest, generation, BEGAN_MS + after_ms, spoke=spoke) is evidence


def test_a_server_that_generates_interrupts_by_itself() -> None:
    receiving = heard(State.RECEIVING)
    for evidence in (Evidence.ACTIVITY, Evidence.WORDS):
        assert verdict(evidence, receiving, Generation.GENERATING, spoke=True) is Verdict.NOTHING
    assert (
        verdict(Evidence.INTERRUPTED, receiving, Generation.GENERATING, spoke=True) is Verdict.CUT
    )


@pytest.mark.parametrize("evidence", [Evidence.INTERRUPTED, Evidence.ACTIVITY, Evidence.WORDS])
def test_a_reply_that_the_server_believes_heard_is_cut_by_any_sign(evidence: Evidence) -> None:
    assert verdict(evidence, heard(), Generation.IDLE, spoke=True) is Verdict.CUT


@pytest.mark.parametrize("evidence", Evidence)
def test_a_reply_whose_session_is_lost_is_not_talked_over_by_a_line_that_was_silent(
    evidence: Evidence,
) -> None:
    broken_off = heard(State.BROKEN_OFF)
    assert verdict(evidence, broken_off, Generation.IDLE, spoke=False) is Verdict.NOTHING


@pytest.mark.parametrize("evidence", [Evidence.INTERRUPTED, Evidence.ACTIVITY, Evidence.WORDS])
def test_a_caller_who_talks_over_a_reply_whose_session_is_lost_cuts_it(evidence: Evidence) -> None:
    broken_off = heard(State.BROKEN_OFF)
    assert verdict(evidence, broken_off, Generation.IDLE, spoke=True) is Verdict.CUT
