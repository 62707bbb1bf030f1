"""When the service may be dialled, and when it is left alone."""

import pytest

from agent.conversation.events import SessionLost, SessionReady, SessionRefused
from agent.gemini.breaker import (
    FAILURES,
    HUNG_MS,
    OPEN_MS,
    PROBES,
    PROVEN_AFTER_MS,
    WINDOW_MS,
    Breaker,
    Dial,
    State,
)

DOWN = SessionRefused(1, 1011, "The service is currently unavailable.")
READY = SessionReady(1)


def dial(breaker: Breaker, now_ms: int, *, resumes: bool = False) -> Dial:
    """One that has to be admitted."""
    admitted = breaker.admit(now_ms, resumes=resumes)
    assert isinstance(admitted, Dial)
    return admitted


def refuse(breaker: Breaker, refusal: SessionRefused, times: int, *, resumes: bool = False) -> None:
    """So many dials at 0 ms, each refused."""
    for each in [dial(breaker, 0, resumes=resumes) for _ in range(times)]:
        each.tell(refusal, 0)
        each.leave(0)


@pytest.fixture
def broken() -> Breaker:
    """One that has just opened, at 0 ms."""
    breaker = Breaker()
    refuse(breaker, DOWN, FAILURES)
    return breaker


def test_it_opens_when_too_many_dials_failed_and_then_sends_everyone_away() -> None:
    breaker = Breaker()
    refuse(breaker, DOWN, FAILURES - 1)
    assert breaker.state(0) is State.CLOSED
    dial(breaker, 10).tell(DOWN, 10)
    assert breaker.admit(10, resumes=False) == OPEN_MS
    assert breaker.admit(OPEN_MS, resumes=True) == 10
    assert breaker.openings == 1


@pytest.mark.parametrize(
    ("worked", "state"), [(FAILURES, State.OPEN), (FAILURES + 1, State.CLOSED)]
)
def test_it_stays_closed_while_more_dials_work_than_fail(worked: int, state: State) -> None:
    breaker = Breaker()
    for each in [dial(breaker, 0) for _ in range(worked)]:
        each.tell(READY, 0)
    refuse(breaker, DOWN, FAILURES)
    assert breaker.state(0) is state


def test_failures_are_forgotten_after_a_while() -> None:
    breaker = Breaker()
    refuse(breaker, DOWN, FAILURES - 1)
    dial(breaker, WINDOW_MS + 1).tell(DOWN, WINDOW_MS + 1)
    assert breaker.state(WINDOW_MS + 1) is State.CLOSED


@pytest.mark.parametrize(
    ("lived_ms", "state"), [(PROVEN_AFTER_MS - 1, State.OPEN), (PROVEN_AFTER_MS, State.CLOSED)]
)
def test_a_session_that_breaks_off_before_it_proved_itself_is_a_failure(
    lived_ms: int, state: State
) -> None:
    breaker = Breaker()
    for each in [dial(breaker, 0) for _ in range(FAILURES)]:
        each.tell(READY, 100)
        each.tell(SessionLost(1, 1011, ""), 100 + lived_ms)
        each.leave(100 + lived_ms)
    assert breaker.state(100 + lived_ms) is state


@pytest.mark.parametrize(
    ("waited_ms", "state"), [(HUNG_MS - 1, State.CLOSED), (HUNG_MS, State.OPEN)]
)
def test_a_dial_that_is_not_answered_for_long_is_a_failure(waited_ms: int, state: State) -> None:
    breaker = Breaker()
    for each in [dial(breaker, 0) for _ in range(FAILURES)]:
        each.leave(waited_ms)
    assert breaker.state(waited_ms) is state


@pytest.mark.parametrize("code", [1006, 1007, 1008, 1011])
def test_a_session_that_breaks_off_as_soon_as_it_is_resumed_does_not_count(code: int) -> None:
    breaker = Breaker()
    for each in [dial(breaker, 0, resumes=True) for _ in range(10 * FAILURES)]:
        each.tell(READY, 100)
        each.tell(SessionLost(1, code, ""), 200)
        each.leave(200)
    assert breaker.state(200) is State.CLOSED


@pytest.mark.parametrize(
    "refusal",
    [
        SessionRefused(1, 403, "key"),
        SessionRefused(1, 429, "quota"),
        SessionRefused(1, 1007, "setup"),
        SessionRefused(1, 1008, "model"),
        SessionRefused(1, 1011, "RESOURCE_EXHAUSTED: Maximum concurrent sessions exceeded."),
        SessionRefused(1, 0, "no such name", unreachable=True),
    ],
    ids=lambda refusal: f"{refusal.code} {refusal.reason[:14]}",
)
def test_what_the_service_is_not_to_blame_for_does_not_count(refusal: SessionRefused) -> None:
    breaker = Breaker()
    refuse(breaker, refusal, 10 * FAILURES)
    assert breaker.state(0) is State.CLOSED


@pytest.mark.parametrize("code", [0, 500, 503, 1006, 1011, 1013])
def test_what_it_is_to_blame_for_does(code: int) -> None:
    breaker = Breaker()
    refuse(breaker, SessionRefused(1, code, "no"), FAILURES)
    assert breaker.state(0) is State.OPEN


def test_the_handles_of_a_dead_worker_that_are_still_in_use_open_nothing() -> None:
    breaker = Breaker()
    refuse(breaker, DOWN, 10 * FAILURES, resumes=True)
    assert breaker.state(0) is State.CLOSED


def test_half_open_it_lets_a_few_try(broken: Breaker) -> None:
    probes = [dial(broken, OPEN_MS) for _ in range(PROBES)]
    assert broken.state(OPEN_MS) is State.HALF_OPEN
    assert broken.admit(OPEN_MS, resumes=False) == OPEN_MS
    probes[0].leave(OPEN_MS + 10)  # that caller hung up: it has shown nothing
    assert isinstance(broken.admit(OPEN_MS + 10, resumes=False), Dial)
    assert broken.admit(OPEN_MS + 10, resumes=False) == OPEN_MS


def test_it_closes_once_all_of_them_have_proved_themselves(broken: Breaker) -> None:
    for probe in [dial(broken, OPEN_MS) for _ in range(PROBES)]:
        probe.tell(READY, OPEN_MS + 500)
    proven_ms = OPEN_MS + 500 + PROVEN_AFTER_MS
    assert broken.state(proven_ms - 1) is State.HALF_OPEN
    assert broken.state(proven_ms) is State.CLOSED


@pytest.mark.parametrize("resumes", [False, True])
def test_one_that_fails_opens_it_again(broken: Breaker, *, resumes: bool) -> None:
    first, _, last = [dial(broken, OPEN_MS, resumes=resumes) for _ in range(PROBES)]
    first.tell(READY, OPEN_MS + 100)
    last.tell(DOWN, OPEN_MS + 200)
    assert broken.admit(OPEN_MS + 200, resumes=False) == OPEN_MS
    assert broken.openings == 1


def test_a_dial_from_before_it_opened_says_nothing_about_the_probes(broken: Breaker) -> None:
    breaker = Breaker()
    late = dial(breaker, 0)
    refuse(breaker, DOWN, FAILURES)
    dial(breaker, OPEN_MS)
    late.tell(DOWN, OPEN_MS + 10)
    assert breaker.state(OPEN_MS + 10) is State.HALF_OPEN
