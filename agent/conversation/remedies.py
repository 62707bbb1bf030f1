"""What can be wrong with a model that owes speech, and what is done about it."""

from enum import StrEnum


class Trouble(StrEnum):
    """What is wrong."""

    NO_REPLY = "no reply"
    EMPTY_TURN = "empty turn"
    REJECTED = "rejected"
    NO_SOUND = "no sound"
    OPEN_TURN = "open turn"
    UNHEARD = "unheard"


class Remedy(StrEnum):
    """What is done about it."""

    END_AUDIO = "end audio"
    NUDGE = "nudge"
    RESUME = "resume"
    FRESH = "fresh"


_ANSWER_OWED = (Remedy.NUDGE, Remedy.RESUME, Remedy.FRESH)

REMEDIES: dict[Trouble, tuple[Remedy, ...]] = {
    Trouble.NO_REPLY: _ANSWER_OWED,
    Trouble.EMPTY_TURN: _ANSWER_OWED,
    Trouble.REJECTED: _ANSWER_OWED,
    Trouble.NO_SOUND: _ANSWER_OWED,
    Trouble.OPEN_TURN: (Remedy.RESUME, Remedy.FRESH),
    Trouble.UNHEARD: (Remedy.NUDGE, Remedy.RESUME),
}
"""In turn, until something is heard again; where an answer is owed, fresh sessions to the end."""
