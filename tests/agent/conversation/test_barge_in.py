"""Whether what is told of the caller cuts what is heard of the agent."""

import pytest

from agent.conversation.barge_in import (
    HOLD_LIMIT_MS,
    TOLD_LATE_MS,
    VERDICTS,
    WRITTEN_LATE_MS,
    Evidence,
    Hold,
    Standing,
    Verdict,
    of_activity,
    of_ear,
    of_words,
    standing,
    verdict,
)
from agent.conversation.reply import Reply, State
from agent.conversation.speech import CallerSpeech, Utterance
from agent.conversation.turn_taking import DEFAULT_TURNS
from agent.conversation.turns import Generation

BEGAN_MS = 1_000

BEGAN = CallerSpeech(Utterance.BEGAN, sure=False)
COUGHED = CallerSpeech(Utterance.ENDED, sure=False)
SPEAKS = CallerSpeech(Utterance.CONFIRMED, sure=True)
SPOKE = CallerSpeech(Utterance.ENDED, sure=True)


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


@pytest.mark.parametrize("evidence", [each for each in Evidence if each is not Evidence.ONSET])
def test_a_reply_whose_session_is_lost_is_not_talked_over_by_a_line_that_was_silent(
    evidence: Evidence,
) -> None:
    broken_off = heard(State.BROKEN_OFF)
    assert verdict(evidence, broken_off, Generation.IDLE, spoke=False) is Verdict.NOTHING


@pytest.mark.parametrize("evidence", [Evidence.INTERRUPTED, Evidence.ACTIVITY, Evidence.WORDS])
def test_a_caller_who_talks_over_a_reply_whose_session_is_lost_cuts_it(evidence: Evidence) -> None:
    broken_off = heard(State.BROKEN_OFF)
    assert verdict(evidence, broken_off, Generation.IDLE, spoke=True) is Verdict.CUT


def held(state: State = State.RECEIVED) -> Reply:
    reply = heard(state)
    reply.hold()
    return reply


@pytest.mark.parametrize(
    ("speech", "evidence"),
    [
        (BEGAN, Evidence.ONSET),
        (COUGHED, Evidence.NO_SPEECH),
        (SPEAKS, Evidence.SPEECH),
        (SPOKE, Evidence.SPEECH),
    ],
)
def test_what_the_ear_hears_is_evidence(speech: CallerSpeech, evidence: Evidence) -> None:
    assert of_ear(speech) is evidence


@pytest.mark.parametrize("state", [State.RECEIVING, State.RECEIVED, State.BROKEN_OFF])
@pytest.mark.parametrize("generation", [Generation.IDLE, Generation.GENERATING])
def test_a_cough_holds_a_reply_and_lets_it_go_on(state: State, generation: Generation) -> None:
    for spoke in (False, True):
        onset = verdict(Evidence.ONSET, heard(state), generation, spoke=spoke)
        ended = verdict(Evidence.NO_SPEECH, held(state), generation, spoke=spoke)
        assert (onset, ended) == (Verdict.HOLD, Verdict.GO_ON)


def test_the_servers_word_decides_while_its_turn_is_open_and_else_the_ears() -> None:
    for reply, generation, then in [
        (held(State.RECEIVING), Generation.GENERATING, Verdict.NOTHING),
        (held(), Generation.COMPLETE, Verdict.NOTHING),
        (held(), Generation.IDLE, Verdict.CUT),
        (held(State.BROKEN_OFF), Generation.IDLE, Verdict.CUT),
    ]:
        assert verdict(Evidence.SPEECH, reply, generation, spoke=True) is then


@pytest.mark.parametrize(
    "evidence",
    [Evidence.INTERRUPTED, Evidence.ACTIVITY, Evidence.LATE_ACTIVITY, Evidence.WORDS],
)
@pytest.mark.parametrize("state", [State.RECEIVING, State.RECEIVED, State.BROKEN_OFF])
def test_what_the_server_tells_counts_the_same_for_a_reply_that_is_held(
    evidence: Evidence, state: State
) -> None:
    for generation in (Generation.GENERATING, Generation.COMPLETE, Generation.IDLE):
        heard_then = verdict(evidence, heard(state), generation, spoke=True)
        assert verdict(evidence, held(state), generation, spoke=True) is heard_then


@pytest.mark.parametrize("evidence", [Evidence.SPEECH, Evidence.NO_SPEECH, Evidence.UNTOLD])
def test_what_is_not_held_cannot_be_gone_on_with_nor_cut_by_the_ear(evidence: Evidence) -> None:
    assert verdict(evidence, heard(), Generation.IDLE, spoke=True) is Verdict.NOTHING
    assert verdict(evidence, None, Generation.IDLE, spoke=False) is Verdict.NOTHING


def test_what_is_held_is_not_held_again() -> None:
    assert verdict(Evidence.ONSET, held(), Generation.IDLE, spoke=True) is Verdict.NOTHING


def test_a_hold_ends_some_time_after_the_speech_or_at_its_limit() -> None:
    hold = Hold()
    assert not hold
    hold.hears(SPEAKS, 900)
    assert (hold.sure, hold.deadline_ms()) == (False, None)
    hold.begins(1_000)
    assert hold
    assert hold.deadline_ms() == 1_000 + HOLD_LIMIT_MS
    hold.hears(SPOKE, 2_000)
    told_ms = 2_000 + DEFAULT_TURNS.told_ms
    assert (hold.sure, hold.deadline_ms()) == (True, told_ms)
    assert [hold.expired(told_ms + late_ms) for late_ms in (-1, 0)] == [False, True]
    hold.hears(BEGAN, 2_500)
    assert (hold.sure, hold.deadline_ms()) == (True, 1_000 + HOLD_LIMIT_MS)
    hold.over()
    assert not hold
    assert not hold.expired(99_000)


@pytest.mark.parametrize(
    ("evidence", "generation", "of_one"),
    [
        (Evidence.ACTIVITY, Generation.COMPLETE, Verdict.NOTHING),
        (Evidence.WORDS, Generation.IDLE, Verdict.NOTHING),
        (Evidence.INTERRUPTED, Generation.GENERATING, Verdict.CUT),
    ],
)
def test_what_must_be_heard_is_cut_only_by_the_model_itself(
    evidence: Evidence, generation: Generation, of_one: Verdict
) -> None:
    assert verdict(evidence, heard(), generation, spoke=True, heard_out=True) is of_one
    assert verdict(evidence, heard(), generation, spoke=True) is Verdict.CUT


def test_words_before_anything_is_heard_are_as_ever_where_all_must_be_heard() -> None:
    assert verdict(Evidence.WORDS, None, Generation.IDLE, spoke=True, heard_out=True) is Verdict.CUT
