"""What the ear makes of the caller's voice, as events: an utterance began, is speech, has ended."""

from dataclasses import dataclass
from enum import Enum


class Utterance(Enum):
    """How far the ear is with an utterance of the caller."""

    BEGAN = "began"
    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallerSpeech:
    """What the ear makes of the caller's voice: `BEGAN`, then perhaps `CONFIRMED`, then `ENDED`.

    Beside `CallerSpoke`, which counts it. It is told if the persona's `barge_in` is not "server".

    Args:
        state: How far it is.
        sure: Whether it is certainly speech. Before that it may be a cough; one that ends so was.
    """

    state: Utterance
    sure: bool
