"""Whose turn it is: two small tables, as data. The floor is derived from both.

Generation is what the model is doing; playout is what the listener is hearing. They are apart
because generation runs ahead of the ear: a reply of 2.5 s arrives in 0.6 s, and the next one may
be generated while the last still plays.

    generation    AUDIO        GENERATION_DONE  TURN_DONE  INTERRUPTED  DROP_EXPIRED  LOST
    IDLE          GENERATING   IDLE             IDLE       DROPPING     -             IDLE
    GENERATING    GENERATING   COMPLETE         IDLE       DROPPING     -             IDLE
    COMPLETE      GENERATING¹  COMPLETE         IDLE       DROPPING     -             IDLE
    DROPPING      DROPPING     DROPPING         IDLE       DROPPING     IDLE          IDLE

    ¹ a new reply: what follows a complete one is never a part of it.
"""

from enum import Enum


class Generation(Enum):
    """What the model is doing, as far as its messages tell."""

    IDLE = "idle"
    GENERATING = "generating"
    COMPLETE = "complete"
    DROPPING = "dropping"
    """Interrupted: what still comes is stale, until the turn is closed or the limit passes."""


class Sign(Enum):
    """What moves `Generation`."""

    AUDIO = "audio"
    GENERATION_DONE = "generation done"
    TURN_DONE = "turn done"
    INTERRUPTED = "interrupted"
    DROP_EXPIRED = "drop expired"
    LOST = "lost"


class Floor(Enum):
    """Who holds the floor, as the caller would say."""

    CALLER = "caller"
    AGENT = "agent"


GENERATION: dict[tuple[Generation, Sign], Generation] = {
    (Generation.IDLE, Sign.AUDIO): Generation.GENERATING,
    (Generation.IDLE, Sign.GENERATION_DONE): Generation.IDLE,
    (Generation.IDLE, Sign.TURN_DONE): Generation.IDLE,
    (Generation.IDLE, Sign.INTERRUPTED): Generation.DROPPING,
    (Generation.IDLE, Sign.LOST): Generation.IDLE,
    (Generation.GENERATING, Sign.AUDIO): Generation.GENERATING,
    (Generation.GENERATING, Sign.GENERATION_DONE): Generation.COMPLETE,
    (Generation.GENERATING, Sign.TURN_DONE): Generation.IDLE,
    (Generation.GENERATING, Sign.INTERRUPTED): Generation.DROPPING,
    (Generation.GENERATING, Sign.LOST): Generation.IDLE,
    (Generation.COMPLETE, Sign.AUDIO): Generation.GENERATING,
    (Generation.COMPLETE, Sign.GENERATION_DONE): Generation.COMPLETE,
    (Generation.COMPLETE, Sign.TURN_DONE): Generation.IDLE,
    (Generation.COMPLETE, Sign.INTERRUPTED): Generation.DROPPING,
    (Generation.COMPLETE, Sign.LOST): Generation.IDLE,
    (Generation.DROPPING, Sign.AUDIO): Generation.DROPPING,
    (Generation.DROPPING, Sign.GENERATION_DONE): Generation.DROPPING,
    (Generation.DROPPING, Sign.TURN_DONE): Generation.IDLE,
    (Generation.DROPPING, Sign.INTERRUPTED): Generation.DROPPING,
    (Generation.DROPPING, Sign.DROP_EXPIRED): Generation.IDLE,
    (Generation.DROPPING, Sign.LOST): Generation.IDLE,
}


DROP_LIMIT_MS = 1_000
"""After an interruption, how long audio is taken for the interrupted turn's if that turn is never
closed. A new reply takes longer: the model thinks for 1.1 s and more."""


class Turns:
    """Where generation stands, and the one limit in time it knows."""

    def __init__(self) -> None:
        self.generation = Generation.IDLE
        self._drop_until_ms: int | None = None

    @property
    def dropping(self) -> bool:
        """Whether what comes is stale."""
        return self.generation is Generation.DROPPING

    @property
    def generating(self) -> bool:
        """Whether more of a reply is to come, and nobody has talked over it."""
        return self.generation is Generation.GENERATING

    @property
    def open(self) -> bool:
        """Whether there is a turn of the model that is not closed yet."""
        return self.generation in {Generation.GENERATING, Generation.COMPLETE}

    def move(self, sign: Sign, now_ms: int) -> None:
        """Something came from the model, or the model is lost."""
        self.generation = GENERATION[self.generation, sign]
        if sign is Sign.INTERRUPTED:
            self._drop_until_ms = now_ms + DROP_LIMIT_MS
        elif not self.dropping:
            self._drop_until_ms = None

    def expire(self, now_ms: int) -> None:
        """Stop dropping, if the limit has passed."""
        if self._drop_until_ms is not None and now_ms >= self._drop_until_ms:
            self.move(Sign.DROP_EXPIRED, now_ms)

    def deadline_ms(self) -> int | None:
        """When `expire` is due, or None."""
        return self._drop_until_ms

    def floor(self, *, playing: bool) -> Floor:
        """The agent holds the floor while it is heard, or about to be."""
        if playing or self.generating:
            return Floor.AGENT
        return Floor.CALLER
