"""What a conversation is told by the call that has its caller: of its listener, and its own life.

What the ear tells of the caller's speech is among them, and has a module of its own (`speech`).
"""

from dataclasses import dataclass
from typing import Literal

from agent.conversation.secret_digits import KeyKind
from agent.conversation.speech import CallerSpeech


@dataclass(frozen=True, slots=True)
class ConversationOpened:
    """A conversation begins here, or goes on here: the model is to be dialled."""


@dataclass(frozen=True, slots=True)
class ListenerCame:
    """Somebody listens from now on; what is written is written under ownership `epoch`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ListenerLeft:
    """Nobody listens for now; the listener may come back, to this worker or to another."""


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """The caller was heard for `ms` milliseconds, which ended now, and it may have been speech.

    It was loud enough to be meant for the agent; its length tells whether it was a word.
    """

    ms: float


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The listener has pressed a key: 0-9, *, #, A-D."""

    key: str


@dataclass(frozen=True, slots=True)
class SecretKeyPressed:
    """The listener has pressed a key while they are hidden: nobody is told which."""

    kind: KeyKind


@dataclass(frozen=True, slots=True)
class Heard:
    """The listener has heard `ms` milliseconds of a reply so far; with `ended`, that is all of it.

    What lies beyond `sent_ms` can be taken back. It comes before what happens at the same time.
    """

    reply: int
    ms: float
    sent_ms: float = 0.0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """What may be spent is spent: in this call, or in a day by this caller or by all callers."""

    of: Literal["call", "caller", "day"]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is as late as `Conversation.deadline_ms` asked for."""


@dataclass(frozen=True, slots=True)
class ConversationClosed:
    """The conversation is over here; with `goes_on`, another worker goes on with it."""

    goes_on: bool = False


ListenerEvent = (
    ConversationOpened
    | ListenerCame
    | ListenerLeft
    | CallerSpoke
    | CallerSpeech
    | KeyPressed
    | SecretKeyPressed
    | Heard
    | BudgetSpent
    | TimePassed
    | ConversationClosed
)
