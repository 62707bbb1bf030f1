"""What a model session tells us. Events are what happened, in the past tense or as nouns.

Each event names the session it comes from: a number that `commands.OpenModel` gave out. An event
of a session that has been closed or replaced is stale, and the machine ignores it.

Source: google-genai 3.4.0, `types.LiveServerMessage`; `agent.gemini.messages` does the mapping.
"""

import re
from dataclasses import dataclass

from agent.conversation.listener_events import ListenerEvent
from agent.conversation.tool_events import ToolCallEvent, ToolOutcome

_MISTAKE = re.compile(
    r"api.?key|permission.denied|\bmodels?/\S+ is not |is not supported for"
    r"|not implemented, or supported, or enabled",
    re.IGNORECASE,
)


class _Ended:
    """What is known of why a session could not be opened, or ended."""

    __slots__ = ()
    code: int
    reason: str

    @property
    def over_quota(self) -> bool:
        """Whether it was one too many; Live says so in a handshake's status, or in a reason."""
        said = self.reason.lower()
        return self.code == 429 or "resource_exhausted" in said or "quota" in said

    @property
    def names_a_mistake(self) -> bool:
        """Whether the reason names what asking again cannot mend: the key, the model, the setup.
        Live closes with 1008 for these, and also for what passes ("The operation was aborted.").
        """
        return self.code == 1008 and _MISTAKE.search(self.reason) is not None


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The session is set up and takes audio. Sent once, before any other event of a session."""

    session: int


@dataclass(frozen=True, slots=True)
class SessionRefused(_Ended):
    """The session could not be opened. Nothing more comes from it.

    Args:
        session: Which one.
        code: The WebSocket close code (1007, 1008, 1011 …) or the HTTP status of the handshake
            (401, 429 …); 0 where neither was received (no route, TLS error, timeout).
        reason: What the other side, or the failing layer, said. Never holds a secret.
        retry_after_ms: How long the other side asked us to wait, or None.
        unreachable: Its name was not found, or TLS failed: the service was not even asked.
    """

    session: int
    code: int
    reason: str
    retry_after_ms: int | None = None
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class SessionLost(_Ended):
    """A session that had been ready ended without our asking. Nothing more comes from it.

    `code` is the WebSocket close code; 1006 for a connection that simply broke.
    """

    session: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class HandleUpdated:
    """The session can (or cannot, `resumable=False` and an empty handle) be resumed from here."""

    session: int
    handle: str
    resumable: bool


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server will close this connection in `time_left_ms`."""

    session: int
    time_left_ms: int


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """A piece of the agent's speech: PCM, int16 little-endian, mono, 24 kHz, any length."""

    session: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """A piece of the output transcription: a delta to append, spaces included."""

    session: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """A piece of the input transcription: a delta to append, spaces included."""

    session: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class CallerActivityStarted:
    """The server's voice activity detection committed the start of the caller's speech."""

    session: int


@dataclass(frozen=True, slots=True)
class CallerActivityEnded:
    """The server's voice activity detection committed the end of the caller's speech."""

    session: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller talked over the agent: what has not been heard yet must not be played.

    May come while generating, after `GenerationComplete`, after `TurnComplete`, or with no
    reply at all. Where one server message holds both this and audio, this comes first.
    """

    session: int


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """The whole reply has been received; it may still be unplayed."""

    session: int


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """The model's turn is closed. `reason` is its `turnCompleteReason`, or "".

    With `goes_on` the model still works on what it was asked, and will say more by itself
    (`interactionStatus` IN_PROGRESS, of a model with extended thinking).
    """

    session: int
    reason: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class UsageReported:
    """Tokens billed for one turn. Sum them over turns: each holds the whole context again.

    Args:
        session: Which session.
        prompt_tokens: All that was read, heard and said before.
        response_tokens: The reply.
        thought_tokens: Thoughts, which stand apart from the total.
        total_tokens: As the server counts it.
        prompt_audio_tokens: How many of the prompt were audio, as far as the server attributes.
        response_audio_tokens: How many of the response were audio.
        response_text_tokens: How many of the response were text.
    """

    session: int
    prompt_tokens: int
    response_tokens: int
    thought_tokens: int
    total_tokens: int
    prompt_audio_tokens: int = 0
    response_audio_tokens: int = 0
    response_text_tokens: int = 0


@dataclass(frozen=True, slots=True)
class UnknownModelMessage:
    """The server sent something this version does not know; the session goes on."""

    session: int
    what: str


SessionEvent = SessionReady | SessionRefused | SessionLost | HandleUpdated | GoAway
TurnEvent = (
    ReplyAudio
    | AgentSaid
    | CallerSaid
    | CallerActivityStarted
    | CallerActivityEnded
    | Interrupted
    | GenerationComplete
    | TurnComplete
)
Notice = UsageReported | UnknownModelMessage
"""What a conversation takes no decision on; it is for observers."""

ModelEvent = SessionEvent | TurnEvent | ToolCallEvent | Notice
ConversationEvent = ListenerEvent | ModelEvent | ToolOutcome
