"""The calls that an agent may place: from which number, to where, when, and how often."""

from dataclasses import dataclass
from pathlib import Path

from agent.conversation.persona import say_exactly
from agent.persona.hours import Interval, parse

ANSWERED = "You have called somebody, who has just answered and is listening."

GREETS = (
    f"[{ANSWERED} Greet them in one short sentence, say your name and that you are calling, and "
    "why, as your instructions have it.]"
)
"""The cue of an agent without a first sentence of its own for calls that it places."""

USUAL_HOURS = "08:00-21:00"
"""The hours in which the United States allow sales calls (47 CFR 64.1200), local to the number."""


RING_S = 25
"""Five or six rings. Many voicemails take the call after that."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """What calls an agent may place.

    Args:
        ours: The number that it calls from, in E.164. It is one of the Twilio account.
        regions: The countries that may be called, by their ISO codes such as ``"US"``.
        hours: The intervals of each day in which a number may be called, in the number's own time.
        per_number_day: How many calls may be placed to one number in a day of its own time zone.
        do_not_call: A file of numbers that are never called; None for none.
        ring_s: How long it rings.
        greeting_cue: What makes the model speak once somebody has answered.
    """

    ours: str
    regions: frozenset[str]
    hours: tuple[Interval, ...] = parse(USUAL_HOURS)
    per_number_day: int = 1
    do_not_call: Path | None = None
    ring_s: int = RING_S
    greeting_cue: str = GREETS


def greeting_cue(words: str) -> str:
    """The text that makes a model say these words to somebody whom it has called."""
    return say_exactly(ANSWERED, words)
