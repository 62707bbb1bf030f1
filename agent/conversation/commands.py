"""The commands that a conversation gives: to the model, to tools, to the store, and all together.

Commands are imperative. The edge that owns the resource carries each out; none returns anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.later import LATER
from agent.conversation.listener_commands import ListenerCommand
from agent.conversation.persona import Persona
from agent.conversation.transcript import Line


@dataclass(frozen=True, slots=True)
class OpenModel:
    """Open a model session; answered by `SessionReady` or `SessionRefused` of this number.

    Args:
        session: The number its events will carry.
        persona: Who it is to be.
        handle: Resume from here, or "" for a fresh session.
        history: Lines the session does not know yet, oldest first: all of them for a fresh
            session, those since the handle for a resumed one. They are appended to its context
            before `SessionReady`, and do not make it speak. For an agent line, what was `heard`.
        fallback: Of the second model; its handles are its own.
        wall_time_ms: Unix time, in ms, for a persona that is told the time; else 0.
        results: What came of tool calls of earlier sessions, and the caller has not heard of. It is
            appended as the history is.
    """

    session: int
    persona: Persona
    handle: str = ""
    history: tuple[Line, ...] = ()
    fallback: bool = False
    wall_time_ms: int = 0
    results: str = field(default="", metadata=LATER)


@dataclass(frozen=True, slots=True)
class CloseModel:
    """Close a session, opened or still opening. No event of it is wanted any more.

    `trouble` says what it was found to owe, as `liveness.Trouble` has it, or that its dial was not
    answered (`link.HUNG`); "" for a session that is left for another reason.
    """

    session: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class SayToModel:
    """Send a text turn, which the model answers by speaking; `trouble` as in `CloseModel`."""

    session: int
    text: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class SendCallerAudio:
    """Caller audio for the model: PCM, int16 little-endian, mono, 16 kHz, any length.

    Args:
        session: For which session.
        pcm: The samples.
        live: True for audio as it comes in, which may be dropped, oldest first, when the model
            is more than 1 s behind; False for held audio sent again, which must not be.
    """

    session: int
    pcm: bytes
    live: bool = True


@dataclass(frozen=True, slots=True)
class EndCallerAudio:
    """Tell the model that the caller has finished for now (`audioStreamEnd`); more may come."""

    session: int


@dataclass(frozen=True, slots=True)
class MarkSpeech:
    """Tell a model that does not detect it itself that the caller begins to speak, or has finished:
    `activityStart` and `activityEnd`. Between an end and the next beginning it hears nothing.
    """

    session: int
    begins: bool


@dataclass(frozen=True, slots=True)
class SendToolResult:
    """Answer a tool call of this session.

    Args:
        session: Which session called.
        id: The id that it gave to the call.
        name: The tool's name.
        result: A JSON object, as `declaration.envelope` makes it.
        scheduling: When the model is to speak of it.
        goes_on: Whether another result of the same call follows.
    """

    session: int
    id: str
    name: str
    result: str
    scheduling: Literal["WHEN_IDLE", "INTERRUPT", "SILENT"] = "WHEN_IDLE"
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool; answered by `ToolFinished` of this number. `arguments` fit its declaration."""

    call: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CancelTool:
    """Nobody wants the result of this call any more: stop it, if that is possible."""

    call: int


@dataclass(frozen=True, slots=True)
class AppendLine:
    """Store one final transcript line; answered by `LinesStored` once it is safe."""

    line: Line


@dataclass(frozen=True, slots=True)
class SaveCheckpoint:
    """Store the checkpoint; a later one replaces an earlier one that is still waiting.

    Args:
        checkpoint: The checkpoint.
        cost: What the conversation has cost so far, in nano-dollars; None if that is not known.
    """

    checkpoint: Checkpoint
    cost: int | None = None


class Impasse(StrEnum):
    """Why a conversation cannot go on: some of the reasons that a call can end for."""

    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_QUOTA = "model_quota"
    MODEL_UNREACHABLE = "model_unreachable"
    MODEL_REFUSED = "model_refused"


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The conversation cannot go on; `reason` becomes the call's `ended_reason`."""

    reason: Impasse


class Ending(StrEnum):
    """Why a conversation comes to its end by itself: others of the reasons of a call."""

    SILENCE = "silence"
    LIMIT = "limit"
    AGENT_HANGUP = "agent_hangup"
    PUT_THROUGH = "put_through"


@dataclass(frozen=True, slots=True)
class EndConversation:
    """All has been said; `reason` becomes the call's `ended_reason`."""

    reason: Ending


@dataclass(frozen=True, slots=True)
class StopRecording:
    """The caller does not want to be recorded: nothing more is, and what was is deleted."""


ModelCommand = (
    OpenModel
    | CloseModel
    | SayToModel
    | SendCallerAudio
    | EndCallerAudio
    | MarkSpeech
    | SendToolResult
)
ToolCommand = RunTool | CancelTool
StoreCommand = AppendLine | SaveCheckpoint
EndCommand = GiveUp | EndConversation
RecorderCommand = StopRecording
ConversationCommand = (
    ModelCommand | ToolCommand | StoreCommand | ListenerCommand | RecorderCommand | EndCommand
)


def appended(lines: Iterable[Line]) -> list[ConversationCommand]:
    """Have final lines stored."""
    return [AppendLine(line) for line in lines]
