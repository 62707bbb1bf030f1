"""The calls that an agent may place: from which number, to where, when, and how often."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.conversation.persona import say_exactly
from agent.persona.hours import Interval, parse

ANSWERED = "You have called somebody, who has just answered and is listening."

GREETS = (
    f"[{ANSWERED} Greet them in one short sentence, say your name and that you are calling, and "
    "why, as your instructions have it.]"
)
"""The cue of an agent without a first sentence of its own for calls that it places."""

CALLS = (
    "\n\nYou have placed this call yourself. If a call screening service, an assistant or another "
    "person asks who is calling and why, answer at once, in one short sentence, with your name and "
    "your reason, and then say nothing until the person you call speaks to you. If you hear a "
    "recorded greeting, say nothing before it is over."
)
"""What the instructions of an agent say besides, in a call that it has placed."""

USUAL_HOURS = "08:00-21:00"
"""The hours in which the United States allow sales calls (47 CFR 64.1200), local to the number."""


type OnMachine = Literal["talk", "hang_up", "voicemail"]

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
        on_machine: What is done if a machine answers; to talk, it is not even looked for.
        voicemail: The message that is left on it.
        greeting_cue: What makes the model speak once somebody has answered.
    """

    ours: str
    regions: frozenset[str]
    hours: tuple[Interval, ...] = parse(USUAL_HOURS)
    per_number_day: int = 1
    do_not_call: Path | None = None
    ring_s: int = RING_S
    on_machine: OnMachine = "talk"
    voicemail: str = ""
    greeting_cue: str = GREETS


def greeting_cue(words: str) -> str:
    """The text that makes a model say these words to somebody whom it has called."""
    return say_exactly(ANSWERED, words)
