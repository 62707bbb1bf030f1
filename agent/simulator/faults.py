"""The faults that a Live session can have, as data. A script or a test asks for them.

Each fault is one thing that was reported of the real service. Several may happen together.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Close:
    """The server closes the WebSocket with this code and reason (at most 123 bytes)."""

    code: int = 1011
    reason: str = "Internal error encountered."


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks without a close frame; the client sees 1006."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """The server sends nothing for a while; then all its messages come at once."""

    duration_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server announces that it will close the connection, and does so in `time_left_ms`."""

    time_left_ms: int = 50_000


@dataclass(frozen=True, slots=True)
class DropHandles:
    """All handles that were given so far become invalid."""


@dataclass(frozen=True, slots=True)
class RefuseConnect:
    """The next connection is refused.

    `code` is an HTTP status, which refuses the handshake, or a close code (1000 and above), which
    answers the setup.
    """

    code: int = 1011
    reason: str = "The service is currently unavailable."


@dataclass(frozen=True, slots=True)
class Outage:
    """For a while, a share of all connections fails.

    Args:
        duration_ms: How long the outage lasts.
        share: The share of connections that fail, 0 to 1.
        breaks_off_ms: How long after setupComplete they are closed; None if the close comes
            instead of setupComplete.
    """

    duration_ms: int = 60_000
    share: float = 0.85
    breaks_off_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SlowSetup:
    """The next setup is answered this late."""

    delay_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class ShortTurn:
    """The next turn is complete after this much audio; 0 is an empty turn."""

    said_ms: int = 0


@dataclass(frozen=True, slots=True)
class PhantomInterrupted:
    """The server sends `interrupted` and `turnComplete` although nobody spoke; a reply ends."""


@dataclass(frozen=True, slots=True)
class IgnoreSpeech:
    """The caller's next utterance is neither transcribed nor answered."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The next `generateContent` is answered this late, and with this.

    Args:
        status: The HTTP status; 200 for an answer.
        text: The text of that answer; "" for the one that would be given anyway.
        delay_ms: How late it comes.
    """

    status: int = 429
    text: str = ""
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """The server sends this message as it is, valid or not."""

    message: dict[str, object] = field(default_factory=lambda: {"unknownToThisSdk": {}})


Fault = (
    Close
    | Reset
    | Freeze
    | GoAway
    | DropHandles
    | RefuseConnect
    | Outage
    | SlowSetup
    | ShortTurn
    | PhantomInterrupted
    | IgnoreSpeech
    | Generation
    | Send
)

FAULTS: dict[str, type[Fault]] = {
    "close": Close,
    "reset": Reset,
    "freeze": Freeze,
    "go-away": GoAway,
    "drop-handles": DropHandles,
    "refuse-connect": RefuseConnect,
    "outage": Outage,
    "slow-setup": SlowSetup,
    "short-turn": ShortTurn,
    "phantom-interrupted": PhantomInterrupted,
    "ignore-speech": IgnoreSpeech,
    "generation": Generation,
    "send": Send,
}
"""The names of the faults in a script."""
