"""The figures of a call, and the figures that a person expects of it.

A call writes its own expected commands, so `--update` accepts whatever the code does. The figures
here are a safeguard: a person writes them into the recording's header, and no command changes them.
"""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from agent.conversation.commands import (
    AppendLine,
    CancelTool,
    CloseModel,
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
    StopRecording,
)
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.persona import Persona
from telephony.audio.formats import MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.call.commands import (
    NO_REPLY,
    CloseStream,
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    SendClear,
    SendMark,
    SendMedia,
)

_MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    """The figures of a call, computed from its commands.

    Args:
        lines: The transcript lines that it stored, such as `agent: Good ~ morning.` The words
            behind ` ~ ` were said but not heard.
        ended_reason: As in `EndCall`; "" for a call that has not ended.
        final: Whether the call itself is over.
        greetings: How often the model was told to greet.
        texts: How many other texts the model was given.
        sessions: How many model sessions were opened.
        resumed: How many of these sessions were opened with a handle.
        replies: How many replies had audio that was sent to the caller.
        sent_ms: How much audio that was, rounded down.
        marks: How many marks were sent behind it.
        waits: How often a waiting caller heard the waiting sound.
        clears: How often Twilio's buffer was emptied.
        closed: How many streams were closed from this side.
        caller_ms: How much caller audio was sent to the model, rounded down.
        resent_ms: How much of that was not live, because it had been held back.
        caller_lost_ms: As in `EndCall`.
        reply_dropped_ms: As in `EndCall`.
    """

    lines: list[str] = []
    ended_reason: str = ""
    final: bool = False
    greetings: int = 0
    texts: int = 0
    sessions: int = 0
    resumed: int = 0
    replies: int = 0
    sent_ms: int = 0
    marks: int = 0
    waits: int = 0
    clears: int = 0
    closed: int = 0
    caller_ms: int = 0
    resent_ms: int = 0
    caller_lost_ms: int = 0
    reply_dropped_ms: int = 0


Expectation = msgspec.defstruct(
    "Expectation",
    [(field.name, field.type | None, None) for field in msgspec.structs.fields(Outcome)],
    omit_defaults=True,
    forbid_unknown_fields=True,
    frozen=True,
)
"""The fields of `Outcome` that a recording expects; the others may have any value."""


def outcome(commands: Iterable[Command], persona: Persona) -> Outcome:
    """Compute the figures of a call's commands. `persona` distinguishes greetings from texts."""
    came = Outcome()
    replies: set[int] = set()
    sent_bytes = caller_bytes = resent_bytes = 0
    for command in commands:
        match command:
            case SendCallerAudio():
                caller_bytes += len(command.pcm)
                resent_bytes += 0 if command.live else len(command.pcm)
            case SendMedia() if command.reply == NO_REPLY:
                came.waits += 1
            case SendMedia():
                replies.add(command.reply)
                sent_bytes += len(command.ulaw)
            case SendMark():
                came.marks += 1
            case SendClear():
                came.clears += 1
            case CloseStream():
                came.closed += 1
            case OpenModel():
                came.sessions += 1
                came.resumed += bool(command.handle)
            case SayToModel():
                greeting = command.text == persona.greeting_cue
                came.greetings += greeting
                came.texts += not greeting
            case AppendLine():
                came.lines.append(spoken(command))
            case EndCall():
                came.ended_reason, came.final = command.reason, command.final
                came.caller_lost_ms = command.caller_lost_ms
                came.reply_dropped_ms = command.reply_dropped_ms
            case CloseModel() | EndCallerAudio() | MarkSpeech() | SaveCheckpoint():
                pass
            case SendToolResult() | RunTool() | CancelTool() | StopRecording():
                pass
            case HideCaller() | ShowCaller() | ForgetKeys():
                pass
            case MeasureSpeech() | MeasureReply():
                pass
            case _:
                assert_never(command)
    came.replies = len(replies)
    came.sent_ms = sent_bytes // PHONE_SAMPLES_PER_MS
    came.caller_ms = caller_bytes // _MODEL_IN_BYTES_PER_MS
    came.resent_ms = resent_bytes // _MODEL_IN_BYTES_PER_MS
    return came


def spoken(command: AppendLine) -> str:
    """A transcript line as an expectation writes it."""
    line = command.line
    unheard = line.text.removeprefix(line.heard).strip()
    return f"{line.role}: {line.heard}" + (f" ~ {unheard}" if unheard else "")


def broken(expected: msgspec.Struct, came: Outcome) -> list[str]:
    """The expectations that are not met, each in one line."""
    pairs = [(name, getattr(expected, name), getattr(came, name)) for name in _NAMES]
    return [
        f"expected {name} {wanted!r}, got {got!r}"
        for name, wanted, got in pairs
        if wanted is not None and wanted != got
    ]


_NAMES = tuple(field.name for field in msgspec.structs.fields(Outcome))
