"""The differences between models, in one table.

Source: Google's Live API model pages, September to November 2026. The models before 3.8 were
shut down on 2026-11-17 and have no row.
"""

from dataclasses import dataclass

from google.genai.types import ThinkingLevel


@dataclass(frozen=True, slots=True)
class Quirks:
    """The differences of one model.

    Args:
        thinking_level: The level to ask for; None if the model accepts no thinking configuration.
        blocking_tools: Whether it knows only tools for which it waits; it is then told nothing of
            how to go on meanwhile.
        think_ms: How long it usually thinks before an answer; used until a call has measured it.
    """

    thinking_level: ThinkingLevel | None = None
    think_ms: int = 1_600
    blocking_tools: bool = False


DEFAULT = Quirks()

BY_MODEL = {
    "gemini-3.8-live": DEFAULT,
    # The lowest level that it accepts (MINIMAL is refused), because a caller waits.
    "gemini-3.8-live-extended-thinking": Quirks(
        thinking_level=ThinkingLevel.LOW,
        # A guess: nobody has measured it yet, but this model is made to think longer.
        think_ms=4_000,
    ),
}


def quirks_of(model: str) -> Quirks:
    """The row for `model`, with or without ``models/``; an unknown model gets the default."""
    return BY_MODEL.get(model.removeprefix("models/"), DEFAULT)
