"""The one session there may be: whose events count, and the attempt that waits."""

from agent.conversation.link import Link
from agent.conversation.resumption import Attempt


def opened(now_ms: int = 0) -> Link:
    """A link whose first session is ready since `now_ms`."""
    link = Link()
    link.dial(Attempt("", 0), now_ms)
    link.listens(now_ms)
    return link


def test_an_attempt_without_a_wait_opens_a_session_at_once() -> None:
    link = Link()
    assert link.dial(Attempt("h1", 0), 0)
    assert link.deadline_ms() is None
    assert not link.ready


def test_a_session_listens_from_when_it_is_ready_until_it_ends() -> None:
    link = opened(1_000)
    listened = [link.ready]
    assert link.lived_ms(4_000) == 3_000
    link.ended(0)
    assert [*listened, link.ready] == [True, False]


def test_an_attempt_with_a_wait_is_due_when_it_is_over_and_waits_no_more() -> None:
    link = opened()
    link.ended(0)
    assert not link.dial(Attempt("h1", 250), 1_000)
    assert link.deadline_ms() == 1_250
    assert link.due(1_249) is None
    attempt = link.due(1_250)
    assert attempt == Attempt("h1", 0)
    assert link.dial(attempt, 1_250)
    assert link.deadline_ms() is None


def test_only_a_session_that_did_not_end_by_itself_has_to_be_closed() -> None:
    link = opened()
    first = link.session
    assert link.leave(0) == first
    assert link.leave(0) is None
    link.dial(Attempt("", 0), 0)
    link.ended(0)
    assert link.leave(0) is None


def test_sessions_are_numbered_in_turn_and_one_that_was_left_counts_no_more() -> None:
    link, numbers = Link(), []
    for _ in range(5):
        link.dial(Attempt("", 0), 0)
        numbers.append(link.session)
        link.leave(0)
        assert link.session not in numbers, "its late events are stale at once"
    assert numbers == [1, 2, 3, 4, 5]


def test_nobody_listens_since_the_last_session_that_lived_for_a_while() -> None:
    link = Link()
    seen = [link.deaf_since_ms]
    for ready_ms, ended_ms in ((1_000, 9_000), (10_000, 11_000)):
        link.dial(Attempt("", 0), ready_ms)
        link.listens(ready_ms)
        seen.append(link.deaf_since_ms)
        link.ended(ended_ms)
        seen.append(link.deaf_since_ms)
    assert seen == [0, None, 9_000, None, 9_000]
