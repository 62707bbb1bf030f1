"""How turns are taken: who finds out that the caller speaks, and which silence ends their turn.

Nobody else keeps that silence. Whoever waits for what follows the end of the caller's turn takes it
from here, because until then the turn is the caller's: no text, sound or end of audio may come.
"""

from dataclasses import dataclass, field
from typing import Literal

from agent.conversation.later import LATER

Sensitivity = Literal["high", "low"]
Detection = Literal["server", "ours"]

TOLD_AFTER_MS = 1_500
"""A model that heard the caller tells so up to 0.4 s after the end of their turn. So late it tells
nothing any more."""


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How turns are taken.

    Args:
        detection: Who finds out when the caller speaks: Gemini's ``"server"``, or ``"ours"``. The
            sensitivities are the server's alone.
        silence_ms: The silence that ends a turn. 500 to 800 is advised, and a caller feels each
            millisecond. A server may end a turn earlier than it is asked to, and then tells so.
        prefix_ms: The speech that is needed before a start of speech counts. 20 is one telephone
            frame, so that a "yes" is heard.
        start_sensitivity: How readily speech is taken to begin.
        end_sensitivity: How readily speech is taken to end.
    """

    silence_ms: int = 500
    prefix_ms: int = 20
    start_sensitivity: Sensitivity = "high"
    end_sensitivity: Sensitivity = "high"
    detection: Detection = field(default="server", metadata=LATER)

    @property
    def detects(self) -> bool:
        """Whether the model itself finds out when the caller speaks."""
        return self.detection == "server"

    @property
    def told_ms(self) -> int:
        """How long after the caller's last sound a model that heard them has told so."""
        return self.silence_ms + TOLD_AFTER_MS


DEFAULT_TURNS = TurnTaking()
"""Those of a persona that says nothing of them."""
