"""The differences between models, in one table.

Source: Google's Live API model pages, September to November 2026. The models before 3.8 were
shut down on 2026-11-17 and have no row.
"""

from dataclasses import dataclass

from google.genai.types import ThinkingLevel


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a model departs from the others.

    Args:
        thinking_level: What to ask for; None where a thinking configuration is not accepted.
        think_ms: How long it usually thinks before it answers, until its answers in a call tell.
    """

    thinking_level: ThinkingLevel | None = None
    think_ms: int = 1_600


DEFAULT = Quirks()

BY_MODEL = {
    "gemini-3.8-live": DEFAULT,
    # MINIMAL is refused; the lowest it accepts, because a caller waits for the answer.
    "gemini-3.8-live-extended-thinking": Quirks(
        thinking_level=ThinkingLevel.LOW,
        # Not measured by anybody yet: that it thinks longer is what it is for.
        think_ms=4_000,
    ),
}


def quirks_of(model: str) -> Quirks:
    """The row of `model`, with or without ``models/``; an unknown model has the default row."""
    return BY_MODEL.get(model.removeprefix("models/"), DEFAULT)
