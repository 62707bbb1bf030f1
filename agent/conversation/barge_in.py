"""What happens when the caller talks over the agent: evidence and how the reply
stands give a verdict.

Evidence is what the model's server tells. It interrupts what it generates by itself, and tells so;
a reply whose turn is closed it believes heard, though most of it may still be waiting here. What it
tells of the caller comes 1 s late, and words up to 3 s, so perhaps only when the answer to it has
begun: that is no barge-in. Nor are words where the line had no speech since the reply began. A
reply whose session was lost is not talked over by what is told then, for the next session hears the
caller's last words again; unless the line had speech since that reply began.
"""

from enum import Enum

from agent.conversation.reply import Reply, State
from agent.conversation.turns import Generation

TOLD_LATE_MS = 1_200
"""Activity of the caller is told 1 s late, so perhaps when the answer has begun."""

WRITTEN_LATE_MS = 3_000
"""Words of the caller are written down up to so long after the answer to them has begun."""


class Evidence(Enum):
    """What tells that the caller talks."""

    INTERRUPTED = "the server interrupted"
    ACTIVITY = "the server hears the caller begin"
    LATE_ACTIVITY = "the same, and it may have been before the reply"
    WORDS = "words of the caller were written down"
    LATE_WORDS = "the same, and they are what the reply answers"


class Standing(Enum):
    """How the newest reply stands."""

    NONE = "no reply is heard; there may be words whose audio has not come"
    BROKEN_OFF = "its session is lost"
    TALKED_OVER = "the same, and the line had speech since it began"
    GENERATED = "more of it comes"
    RECEIVED = "it was received whole, and its turn is open"
    CLOSED = "its turn is closed, and it is heard"


class Verdict(Enum):
    """What becomes of what is heard."""

    NOTHING = "it goes on"
    CUT = "it is cut at what was heard"


_NOTHING, _CUT = Verdict.NOTHING, Verdict.CUT

VERDICTS: dict[Evidence, dict[Standing, Verdict]] = {
    Evidence.INTERRUPTED: {
        Standing.NONE: _CUT,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _CUT,
        Standing.RECEIVED: _CUT,
        Standing.CLOSED: _CUT,
    },
    Evidence.ACTIVITY: {
        Standing.NONE: _NOTHING,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _NOTHING,
        Standing.RECEIVED: _CUT,
        Standing.CLOSED: _CUT,
    },
    Evidence.LATE_ACTIVITY: dict.fromkeys(Standing, _NOTHING),
    Evidence.WORDS: {
        Standing.NONE: _CUT,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _NOTHING,
        Standing.RECEIVED: _NOTHING,
        Standing.CLOSED: _CUT,
    },
    Evidence.LATE_WORDS: dict.fromkeys(Standing, _NOTHING),
}


def standing(newest: Reply | None, generation: Generation, *, spoke: bool) -> Standing:
    """How the newest reply stands, with what the model is doing; `spoke` as in `of_words`."""
    if newest is None or newest.over:
        return Standing.NONE
    if newest.state is State.BROKEN_OFF:
        return Standing.TALKED_OVER if spoke else Standing.BROKEN_OFF
    match generation:
        case Generation.GENERATING:
            return Standing.GENERATED
        case Generation.COMPLETE:
            return Standing.RECEIVED
        case _:
            return Standing.CLOSED


def of_activity(newest: Reply | None, now_ms: int) -> Evidence:
    """What it means that the server hears the caller begin."""
    return Evidence.ACTIVITY if _is_older(newest, now_ms) else Evidence.LATE_ACTIVITY


def of_words(newest: Reply | None, generation: Generation, now_ms: int, *, spoke: bool) -> Evidence:
    """What it means that words of the caller were written down.

    Args:
        newest: The newest reply.
        generation: What the model is doing.
        now_ms: The time.
        spoke: Whether the line had speech since that reply began.
    """
    if newest is None or newest.over or newest.state is State.BROKEN_OFF:
        return Evidence.WORDS
    if not newest.lacks_question:
        return Evidence.WORDS if spoke else Evidence.LATE_WORDS
    open_turn = generation in {Generation.GENERATING, Generation.COMPLETE}
    late = not spoke or open_turn or now_ms - newest.began_ms <= WRITTEN_LATE_MS
    return Evidence.LATE_WORDS if late else Evidence.WORDS


def verdict(
    evidence: Evidence, newest: Reply | None, generation: Generation, *, spoke: bool
) -> Verdict:
    """What becomes of what is heard; `spoke` as in `of_words`."""
    return VERDICTS[evidence][standing(newest, generation, spoke=spoke)]


def _is_older(newest: Reply | None, now_ms: int) -> bool:
    """Whether the reply began before what the model tells now of the caller."""
    return newest is not None and not newest.over and now_ms - newest.began_ms > TOLD_LATE_MS
