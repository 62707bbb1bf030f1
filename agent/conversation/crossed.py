"""Makes sure that the caller hears an answer once if it crossed a nudge.

A model that thinks for long gets a nudge, and then still answers the first question. Its answer to
the nudge is left out: that is a turn of its own, right after the first, with no speech of the
caller in between.
"""

from enum import Enum

from agent.conversation import events
from agent.conversation.events import TurnEvent
from agent.conversation.pace import Pace


class _State(Enum):
    NONE = "no nudge"
    NUDGED = "nudged"
    ANSWERING = "answering"
    ANSWERED = "answered"
    LEAVING_OUT = "leaving out"


class Crossed:
    """Sifts what a session says that may have been nudged; `nudged`, then `sift` each event.

    Args:
        pace: How long the model thinks: it may think of the nudge only when its answer is over.
    """

    def __init__(self, pace: Pace) -> None:
        self._state = _State.NONE
        self._pace = pace
        self._until_ms = 0

    def nudged(self) -> None:
        """The model was asked by text for what it owes."""
        self._state = _State.NUDGED

    def stopped(self) -> None:
        """There is no session."""
        self._state = _State.NONE

    def sift(self, event: TurnEvent, now_ms: int, *, caller_waits: bool) -> list[TurnEvent]:
        """Take the next event. Returns it, unless the nudge alone has led to it."""
        speech = isinstance(event, events.ReplyAudio | events.AgentSaid)
        match self._state:
            case _State.NONE:
                pass
            case _State.NUDGED:
                if speech:
                    self._state = _State.ANSWERING
            case _State.ANSWERING:
                if isinstance(event, events.TurnComplete):
                    self._state = _State.ANSWERED
                    self._until_ms = now_ms + self._pace.patience_ms()
            case _State.ANSWERED:
                if caller_waits or now_ms >= self._until_ms or not (speech or _ends(event)):
                    self._state = _State.NONE
                elif speech:
                    self._state = _State.LEAVING_OUT
            case _State.LEAVING_OUT:
                if isinstance(event, events.TurnComplete | events.Interrupted):
                    self._state = _State.NONE
        return [] if self._state is _State.LEAVING_OUT and (speech or _ends(event)) else [event]


def _ends(event: TurnEvent) -> bool:
    return isinstance(event, events.GenerationComplete)
