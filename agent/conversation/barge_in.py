"""What happens when the caller talks over the agent: evidence and how the reply
stands give a verdict.

Evidence comes from two sides. One is the model's server. It interrupts what it generates by itself,
and tells so; a reply whose turn is closed it believes heard, though most of it may still be waiting
here. What it tells of the caller comes 1 s late, and words up to 3 s, so perhaps only when the
answer to it has begun: that is no barge-in. Nor are words where the line had no speech since the
reply began. A reply whose session was lost is not talked over by what is told then, for the next
session hears the caller's last words again; unless the line had speech since that reply began.

The other is the ear, which hears the caller at once, but cannot tell at once a cough from a word.
So the reply is only held: nothing more of it is heard. If it was a cough, it is gone on with. If it
was speech, the server's word decides while its turn is open, and else the ear's. No reply is held
without end (`Hold`). What the server tells counts the same for a reply that is held.

The persona's `barge_in` chooses whose evidence counts: "server" is the server's alone; with "quick"
and "patient" the ear's counts too, which then tells of an onset sooner or later. With "off" the
server is asked not to interrupt, and what the caller says cuts nothing: it is answered after what
is heard. What the model takes back by itself is cut in every manner.
"""

from enum import Enum

from agent.conversation.deadlines import earliest
from agent.conversation.reply import Reply, State
from agent.conversation.speech import CallerSpeech, Utterance
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking
from agent.conversation.turns import Generation

TOLD_LATE_MS = 1_200
"""Activity of the caller is told 1 s late, so perhaps when the answer has begun."""

WRITTEN_LATE_MS = 3_000
"""Words of the caller are written down up to so long after the answer to them has begun."""

HOLD_LIMIT_MS = 6_000
"""How long a reply is held at most, whatever is heard: it may be a radio."""


class Evidence(Enum):
    """What tells that the caller talks."""

    INTERRUPTED = "the server interrupted"
    ACTIVITY = "the server hears the caller begin"
    LATE_ACTIVITY = "the same, and it may have been before the reply"
    WORDS = "words of the caller were written down"
    LATE_WORDS = "the same, and they are what the reply answers"
    ONSET = "the ear hears the caller begin; it may be a cough"
    SPEECH = "the ear is sure that what made it hold the reply is speech"
    NO_SPEECH = "what made the ear hold the reply is over, and was too short for a word"
    UNTOLD = "it was speech, or goes on without end, and the server tells nothing of it"


OF_THE_CALLER = frozenset({Evidence.ACTIVITY, Evidence.WORDS})
"""What the server tells of the caller, and does not act on by itself."""

OF_WHAT_IS_HELD = frozenset({Evidence.SPEECH, Evidence.NO_SPEECH, Evidence.UNTOLD})
"""What tells nothing of a reply that is not held."""


class Standing(Enum):
    """How the newest reply stands."""

    NONE = "no reply is heard; there may be words whose audio has not come"
    BROKEN_OFF = "its session is lost"
    TALKED_OVER = "the same, and the line had speech since it began"
    GENERATED = "more of it comes"
    RECEIVED = "it was received whole, and its turn is open"
    CLOSED = "its turn is closed, and it is heard"


class Verdict(Enum):
    """What becomes of what is heard."""

    NOTHING = "it stays as it is"
    HOLD = "it is stopped, so that it can be gone on with"
    GO_ON = "it is gone on with"
    CUT = "it is cut at what was heard"


_NOTHING, _CUT = Verdict.NOTHING, Verdict.CUT

VERDICTS: dict[Evidence, dict[Standing, Verdict]] = {
    Evidence.INTERRUPTED: {
        Standing.NONE: _CUT,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _CUT,
        Standing.RECEIVED: _CUT,
        Standing.CLOSED: _CUT,
    },
    Evidence.ACTIVITY: {
        Standing.NONE: _NOTHING,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _NOTHING,
        Standing.RECEIVED: _CUT,
        Standing.CLOSED: _CUT,
    },
    Evidence.LATE_ACTIVITY: dict.fromkeys(Standing, _NOTHING),
    Evidence.WORDS: {
        Standing.NONE: _CUT,
        Standing.BROKEN_OFF: _NOTHING,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _NOTHING,
        Standing.RECEIVED: _NOTHING,
        Standing.CLOSED: _CUT,
    },
    Evidence.LATE_WORDS: dict.fromkeys(Standing, _NOTHING),
    Evidence.ONSET: {
        Standing.NONE: _NOTHING,
        Standing.BROKEN_OFF: Verdict.HOLD,
        Standing.TALKED_OVER: Verdict.HOLD,
        Standing.GENERATED: Verdict.HOLD,
        Standing.RECEIVED: Verdict.HOLD,
        Standing.CLOSED: Verdict.HOLD,
    },
    Evidence.SPEECH: {
        Standing.NONE: _NOTHING,
        Standing.BROKEN_OFF: _CUT,
        Standing.TALKED_OVER: _CUT,
        Standing.GENERATED: _NOTHING,
        Standing.RECEIVED: _NOTHING,
        Standing.CLOSED: _CUT,
    },
    Evidence.NO_SPEECH: dict.fromkeys(Standing, Verdict.GO_ON),
    Evidence.UNTOLD: dict.fromkeys(Standing, Verdict.GO_ON),
}
"""`ONSET` counts for a reply that is not held, `OF_WHAT_IS_HELD` for one that is."""


def standing(newest: Reply | None, generation: Generation, *, spoke: bool) -> Standing:
    """How the newest reply stands, with what the model is doing; `spoke` as in `of_words`."""
    if newest is None or newest.over:
        return Standing.NONE
    if newest.stands is State.BROKEN_OFF:
        return Standing.TALKED_OVER if spoke else Standing.BROKEN_OFF
    match generation:
        case Generation.GENERATING:
            return Standing.GENERATED
        case Generation.COMPLETE:
            return Standing.RECEIVED
        case _:
            return Standing.CLOSED


def of_ear(speech: CallerSpeech) -> Evidence:
    """What it means that the ear hears the caller."""
    if speech.sure:
        return Evidence.SPEECH
    return Evidence.NO_SPEECH if speech.state is Utterance.ENDED else Evidence.ONSET


def of_activity(newest: Reply | None, now_ms: int) -> Evidence:
    """What it means that the server hears the caller begin."""
    if newest is None or newest.over or now_ms - newest.began_ms <= TOLD_LATE_MS:
        return Evidence.LATE_ACTIVITY
    return Evidence.ACTIVITY


def of_words(newest: Reply | None, generation: Generation, now_ms: int, *, spoke: bool) -> Evidence:
    """What it means that words of the caller were written down.

    Args:
        newest: The newest reply.
        generation: What the model is doing.
        now_ms: The time.
        spoke: Whether the line had speech since that reply began.
    """
    if newest is None or newest.over or newest.stands is State.BROKEN_OFF:
        return Evidence.WORDS
    if not newest.lacks_question:
        return Evidence.WORDS if spoke else Evidence.LATE_WORDS
    open_turn = generation in {Generation.GENERATING, Generation.COMPLETE}
    late = not spoke or open_turn or now_ms - newest.began_ms <= WRITTEN_LATE_MS
    return Evidence.LATE_WORDS if late else Evidence.WORDS


def verdict(
    evidence: Evidence,
    reply: Reply | None,
    generation: Generation,
    *,
    spoke: bool,
    heard_out: bool = False,
) -> Verdict:
    """What becomes of what is heard.

    Args:
        evidence: What tells that the caller talks.
        reply: The newest reply, or the newest that is held if the evidence is of that.
        generation: What the model is doing; IDLE if the reply is not its newest.
        spoke: Whether the line had speech since that reply began.
        heard_out: Whether a reply is heard to its end, whatever the caller says.
    """
    stands = standing(reply, generation, spoke=spoke)
    if heard_out and evidence in OF_THE_CALLER and stands is not Standing.NONE:
        return Verdict.NOTHING
    held = reply is not None and reply.held
    if (held and evidence is Evidence.ONSET) or (not held and evidence in OF_WHAT_IS_HELD):
        return Verdict.NOTHING
    return VERDICTS[evidence][stands]


class Hold:
    """How long what is heard may be held: the times of one hold, once there is one.

    Args:
        turns: How late the server tells of speech.

    Attributes:
        sure: Whether the ear is sure by now that it was held for speech.
    """

    def __init__(self, turns: TurnTaking = DEFAULT_TURNS) -> None:
        self.sure = False
        self._turns = turns
        self._until_ms: int | None = None
        self._told_by_ms: int | None = None

    def __bool__(self) -> bool:
        return self._until_ms is not None

    def begins(self, now_ms: int) -> None:
        """What is heard is held from now on."""
        self._until_ms, self._told_by_ms, self.sure = now_ms + HOLD_LIMIT_MS, None, False

    def hears(self, speech: CallerSpeech, now_ms: int) -> None:
        """What the ear makes of the caller. If the server has heard speech, it soon tells so."""
        self.sure |= bool(self) and speech.sure
        if self.sure:
            ended = speech.state is Utterance.ENDED
            self._told_by_ms = now_ms + self._turns.told_ms if ended else None

    def over(self) -> None:
        """Nothing is held."""
        self._until_ms, self._told_by_ms, self.sure = None, None, False

    def deadline_ms(self) -> int | None:
        """When it has lasted long enough, or None."""
        return earliest(self._until_ms, self._told_by_ms)

    def expired(self, now_ms: int) -> bool:
        """Whether it has."""
        deadline_ms = self.deadline_ms()
        return deadline_ms is not None and now_ms >= deadline_ms
