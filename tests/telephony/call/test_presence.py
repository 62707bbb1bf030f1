"""Whether there is a stream, and how long each wait lasts."""

import pytest

from telephony.call.ending import EndedReason
from telephony.call.presence import (
    ASK_AFTER_MS,
    IDLE,
    MEDIA_LIMIT_MS,
    PARKED_LIMIT_MS,
    STOP,
    STOP_GRACE_MS,
    WAITING_LIMIT_MS,
    Phase,
    Presence,
)

NOW_MS = 1_000


@pytest.fixture
def presence() -> Presence:
    """Of a call whose stream has just begun."""
    presence = Presence()
    presence.started("MZ1", NOW_MS)
    return presence


def test_a_call_that_no_stream_follows_is_let_go() -> None:
    presence = Presence()
    assert presence.deadline_ms() == WAITING_LIMIT_MS
    assert presence.expired(WAITING_LIMIT_MS - 1) is None
    assert presence.expired(WAITING_LIMIT_MS) is EndedReason.NOT_ATTACHED


def test_a_stream_on_which_nothing_comes_is_asked_once_and_then_taken_for_dead(
    presence: Presence,
) -> None:
    ask_ms = NOW_MS + ASK_AFTER_MS
    assert presence.deadline_ms() == ask_ms
    assert presence.ask(ask_ms - 1) is None
    assert presence.ask(ask_ms) == "alive:1"
    assert presence.ask(ask_ms + 1) is None
    assert presence.deadline_ms() == NOW_MS + MEDIA_LIMIT_MS
    assert presence.expired(NOW_MS + MEDIA_LIMIT_MS) == IDLE


def test_a_stream_that_answers_lives_on_and_is_asked_again_later(presence: Presence) -> None:
    presence.ask(NOW_MS + ASK_AFTER_MS)
    answered_ms = NOW_MS + ASK_AFTER_MS + 80
    presence.sign_of_life(answered_ms)
    assert presence.expired(NOW_MS + MEDIA_LIMIT_MS) is None
    assert presence.ask(answered_ms + ASK_AFTER_MS) == "alive:2"


@pytest.mark.parametrize(
    ("how", "limit_ms", "reason"),
    [
        (STOP, STOP_GRACE_MS, EndedReason.CALLER_HANGUP),
        ("close", PARKED_LIMIT_MS, EndedReason.STREAM_LOST),
    ],
)
def test_after_each_kind_of_end_a_call_waits_as_long_as_fits(
    presence: Presence, how: str, limit_ms: int, reason: EndedReason
) -> None:
    presence.ended(how, NOW_MS)
    assert presence.phase is Phase.PARKED
    assert presence.ask(NOW_MS + ASK_AFTER_MS) is None
    assert presence.expired(NOW_MS + limit_ms - 1) is None
    assert presence.expired(NOW_MS + limit_ms) is reason
