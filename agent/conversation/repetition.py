"""What a resumed session says again: deltas of a turn that was received before are left out.

A resumed session has been seen to send the last turn once more, its question, words and audio, as
if they were new (voiceclaw, pull request 164). Nothing in the messages tells; but they come at
once, before anything can have been thought about, and say what was said before. So what a resumed
session says first is held back as long as it may be that. If it comes to the end of an earlier
reply it was a repetition, and is forgotten; if it departs from them before, it was none, and is let
through whole and in order.
"""

from collections.abc import Sequence

from agent.conversation import events
from agent.conversation.events import TurnEvent
from agent.conversation.words import letters

AT_ONCE_MS = 1_000
"""When a repetition has begun. A new answer takes longer to be thought."""

_HELD = (
    events.CallerSaid,
    events.AgentSaid,
    events.ReplyAudio,
    events.GenerationComplete,
    events.TurnComplete,
    events.Interrupted,
)


class Repetition:
    """Sifts what a session tells of turns: `listens` first, then `sift` each event."""

    def __init__(self) -> None:
        self._until_ms = 0
        self._questions: list[str] = []
        self._answers: list[str] = []
        self._held: list[TurnEvent] = []

    def listens(self, now_ms: int, questions: Sequence[str], answers: Sequence[str]) -> None:
        """A resumed session is ready; this is what both sides said before."""
        self._until_ms = now_ms + AT_ONCE_MS
        self._questions = [letters(text) for text in questions]
        self._answers = [letters(text) for text in answers]

    def stopped(self) -> None:
        """There is no session."""
        self._until_ms = 0
        self._held = []

    def sift(self, event: TurnEvent, now_ms: int) -> list[TurnEvent]:
        """Take the next event. Returns what is new by now, in order."""
        if not isinstance(event, _HELD) or (now_ms >= self._until_ms and not self._held):
            return [event]
        if self._may_repeat(event, now_ms):
            self._held.append(event)
            return []
        held, repeated = self._held, self._said() in self._answers
        self.stopped()
        if not repeated:
            return [*held, event]
        closes = isinstance(event, events.TurnComplete)
        return [] if closes else [event]

    def _may_repeat(self, event: TurnEvent, now_ms: int) -> bool:
        """Whether what is held, with this, is the beginning of something that was said."""
        said = self._said()
        if not said and now_ms >= self._until_ms:
            return False
        match event:
            case events.CallerSaid(text=text):
                return not said and _begins(self._asked() + letters(text), self._questions)
            case events.AgentSaid(text=text):
                return _begins(said + letters(text), self._answers)
            case events.ReplyAudio() | events.GenerationComplete():
                return bool(said)
            case _:
                return False

    def _asked(self) -> str:
        return "".join(letters(x.text) for x in self._held if isinstance(x, events.CallerSaid))

    def _said(self) -> str:
        return "".join(letters(x.text) for x in self._held if isinstance(x, events.AgentSaid))


def _begins(text: str, wholes: Sequence[str]) -> bool:
    return any(whole.startswith(text) for whole in wholes)
