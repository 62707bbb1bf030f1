"""One reply of the agent: what has come of it, how far it was heard, and where it stands.

    state        becomes
    RECEIVING    RECEIVED when all of it has come, or when its session ends and only its rest is
                 asked for; BROKEN_OFF when its session is gone and it will be said anew
    RECEIVED     HEARD when the listener has heard its end, CUT when the listener talked over it, or
                 has heard what was sent of it before its rest was dropped
    BROKEN_OFF   the same; what it lacks is said anew by the next reply, which cuts it
    HELD         what it was before, or has become since, when it is gone on with; or CUT, or HEARD
                 if its end had been heard when it was held
    HEARD, CUT   nothing: it is a line of the transcript

A reply may be heard while it is received. One of the first three becomes HELD when the listener may
be about to talk over it: nothing of it is heard meanwhile, and more of it may come. Its samples are
the player's, under the same number.
"""

from dataclasses import dataclass, field
from enum import Enum

from agent.conversation.seam import Silences, last_seam
from agent.conversation.words import heard_text

MODEL_BYTES_PER_MS = 48
"""24 kHz, int16."""

SILENT_REPLY_MS = 500
"""A shorter reply may be silent where nothing was asked: there may be nothing to say."""

UNHEARD_MS = 300
"""Of a reply that was heard for a shorter time, nobody has heard a word."""

AUDIBLE_MS = 40
"""With so much sound in it a reply can be heard; the shortest word has more."""

BACK_MS = 20
"""So far a reply that is gone on with may begin before where it stopped, if the speaker was silent
there: a word that had just begun is heard whole, and none is heard twice. "A" takes 45 ms."""


class State(Enum):
    """Where a reply stands; the table is in the module's docstring."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    BROKEN_OFF = "broken off"
    HELD = "held"
    HEARD = "heard"
    CUT = "cut"


@dataclass(slots=True)
class Reply:
    """The reply with this number.

    Attributes:
        number: Counted from 1, over all sessions.
        began_ms: When its first piece came.
        lacks_question: Whether the words that it answers were not written down when it began.
        state: Where it stands.
        received_ms: How much audio of it has come.
        heard_ms: How much of that was heard.
        sent_ms: How much was sent, and cannot be taken back.
        pieces: Its text so far, each piece with how much audio (ms) had come before it.
        dropped: Whether no more of it is sent, though more came.
        talked_over: Whether it was cut because the caller talked over it.
    """

    number: int
    began_ms: int
    lacks_question: bool = False
    state: State = State.RECEIVING
    received_ms: float = 0.0
    heard_ms: float = 0.0
    sent_ms: float = 0.0
    pieces: list[tuple[float, str]] = field(default_factory=list)
    silences: Silences = field(default_factory=Silences)
    dropped: bool = False
    talked_over: bool = False
    _apart: State = State.RECEIVING
    """Of one that is held: where it stands apart from that."""

    @property
    def held(self) -> bool:
        """Whether it was stopped, and may be gone on with."""
        return self.state is State.HELD

    @property
    def stands(self) -> State:
        """Where it stands, or would if it were not held."""
        return self._apart if self.held else self.state

    @property
    def receiving(self) -> bool:
        """Whether more of it may come."""
        return self.stands is State.RECEIVING

    @property
    def over(self) -> bool:
        """Whether it will be heard no further."""
        return self.state in {State.HEARD, State.CUT}

    @property
    def left_ms(self) -> float:
        """How much of what came is still to be heard."""
        return (self.sent_ms if self.dropped else self.received_ms) - self.heard_ms

    @property
    def unheard(self) -> bool:
        """Whether so little of it was heard that nobody knows what it says."""
        return self.heard_ms < UNHEARD_MS

    @property
    def text(self) -> str:
        """All of its words that have come."""
        return "".join(piece for _, piece in self.pieces).strip()

    @property
    def heard_text(self) -> str:
        """The words of it that were heard."""
        complete = self.stands not in {State.RECEIVING, State.BROKEN_OFF}
        return heard_text(self.pieces, self.received_ms, self.heard_ms, complete=complete)

    @property
    def audible(self) -> bool:
        """Whether there is sound in it."""
        return self.silences.sounded_ms >= AUDIBLE_MS

    def add(self, pcm: bytes) -> float:
        """More audio has come; returns how much, in ms."""
        audio_ms = len(pcm) / MODEL_BYTES_PER_MS
        self.received_ms += audio_ms
        self.silences.push(pcm)
        return audio_ms

    def say(self, text: str) -> None:
        """More words have come, of the audio that comes next."""
        if text:
            self.pieces.append((self.received_ms, text))

    def heard(self, ms: float, sent_ms: float = 0.0) -> None:
        """So much of it was heard so far, and so much was sent."""
        self.heard_ms = max(self.heard_ms, ms)
        self.sent_ms = max(sent_ms, self.heard_ms)

    def becomes(self, state: State) -> None:
        """It was received, broken off, heard or cut. One that is held stays so until it is over."""
        if self.held and state in {State.RECEIVED, State.BROKEN_OFF}:
            self._apart = state
        else:
            self.state = state

    def hold(self) -> None:
        """Nothing of it is heard until it is gone on with."""
        self._apart, self.state = self.stands, State.HELD

    def go_on(self) -> float:
        """It is heard again. Returns from where, in ms: where it stopped, or a little before, if
        the speaker was silent there.
        """
        self.state = self.stands
        quiet_ms = self.silences.before(self.heard_ms, BACK_MS)
        return self.heard_ms if quiet_ms is None else quiet_ms

    def leave(self) -> tuple[float, str, str] | None:
        """End it between two words, as its session ends while it is received.

        Returns:
            How long it is now, in ms; its words; and the words that are taken back. None where not
            one word was heard whole.
        """
        at_ms, said = last_seam(self.pieces, self.silences, self.received_ms, self.sent_ms)
        if not said:
            return None
        taken_back = "".join(piece for _, piece in self.pieces)[len(said) :]
        self.received_ms = at_ms
        kept, left = self.pieces, len(said)
        self.pieces = []
        for piece_at_ms, piece in kept:
            if left > 0:
                self.pieces.append((piece_at_ms, piece[:left]))
            left -= len(piece)
        return at_ms, said, taken_back
