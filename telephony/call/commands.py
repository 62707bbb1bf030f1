"""The commands of a call towards the phone. Those to the model and the store are `agent`'s own."""

from dataclasses import dataclass

from agent.conversation.commands import ModelCommand, RecorderCommand, StoreCommand, ToolCommand
from agent.conversation.listener_commands import SecretCommand
from telephony.call.ending import EndedReason

NO_REPLY = 0
"""The reply number of the waiting sound, which belongs to no reply."""


@dataclass(frozen=True, slots=True)
class SendMedia:
    """Queue audio at Twilio: µ-law, 8 kHz, mono. `reply` is the reply it is a part of, or
    `NO_REPLY`.
    """

    stream_sid: str
    reply: int
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class SendMark:
    """Ask Twilio to echo `name` when all audio sent so far has been played."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class SendClear:
    """Empty Twilio's buffer now; audio that still waits to be written is discarded too."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Close the media stream; Twilio goes on with the document's action."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """The call is over on this worker: the last command there is.

    Args:
        reason: Why, as `ended_reason`.
        final: True when the call itself is over, which is recorded in the store. False when it
            goes on elsewhere (handed over, taken by another worker, never attached).
        caller_lost_ms: Caller audio that no session heard: it was older than is kept.
        reply_dropped_ms: Reply audio that went beyond what is held.
        cost: What the call has cost, in nano-dollars; None if prices are not known.
        tokens: How many tokens the model has billed.
    """

    reason: EndedReason
    final: bool
    caller_lost_ms: int = 0
    reply_dropped_ms: int = 0
    cost: int | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class MeasureSpeech:
    """The caller has spoken: an utterance, or what came of one since it was last told of.

    Args:
        began_ms: When its first frame began.
        ended_ms: When its last frame was here.
        spoke_ms: How much speech it had.
    """

    began_ms: int
    ended_ms: int
    spoke_ms: int


@dataclass(frozen=True, slots=True)
class MeasureReply:
    """The first audio of this reply has come from the model."""

    reply: int


MeasureCommand = MeasureSpeech | MeasureReply
"""For observers that measure: what neither events nor other commands tell. Nobody carries it out,
and it is not recorded, as it follows from what is.
"""
PhoneCommand = SendMedia | SendMark | SendClear | CloseStream
AgentCommand = ModelCommand | ToolCommand | SecretCommand | StoreCommand | RecorderCommand
Command = PhoneCommand | AgentCommand | MeasureCommand | EndCall
