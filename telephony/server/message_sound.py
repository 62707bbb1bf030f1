"""The sound of messages: the caller's side of a call, from its recording, if it was recorded here.

A recording is in the folder of the worker that made it. So a message has no sound if another
machine tells of it, and none if nobody wanted the call recorded, or its caller refused that.
"""

import base64
from collections.abc import Sequence
from pathlib import Path

import structlog

from agent.conversation.message import Message
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.wav import mono
from telephony.errors import RecordingError
from telephony.replay.keeping import is_refused, recordings_of
from telephony.replay.reader import read
from telephony.replay.sides import sides_of

LONGEST_MS = 120_000
"""Of a message, what is sent: 1.9 MB of sound."""

LONGEST_CALL_S = 1_800
"""Longer calls are not rendered for their messages: that takes seconds of computing."""

log = structlog.get_logger(__name__)


def sounds_of(
    folder: Path, call_sid: str, messages: Sequence[Message], began_ms: int
) -> list[str | None]:
    """The sound of each message: a WAV file (8 kHz, mono, 16 bits) in base64, or None.

    Blocks, for about 2 ms for each second of the call. Raises nothing.

    Args:
        folder: Where this worker's recordings are.
        call_sid: The call.
        messages: Its messages.
        began_ms: When the call began, in ms since the conversation did.
    """
    nothing: list[str | None] = [None] * len(messages)
    found = recordings_of(folder, call_sid)
    if not found or is_refused(folder, call_sid):
        return nothing
    try:
        caller = sides_of([read(path, partial=True) for path in found])
    except (RecordingError, OSError) as error:
        log.warning("message without sound", call_sid=call_sid, why=type(error).__name__)
        return nothing
    sounds = list[str | None]()
    for message in messages:
        from_ms = max(0, message.from_ms - began_ms)
        ends_ms = from_ms + LONGEST_MS
        if message.until_ms is not None:
            ends_ms = min(ends_ms, message.until_ms - began_ms)
        pcm = caller.between(from_ms, ends_ms).caller.astype("<i2").tobytes()
        sounds.append(base64.b64encode(mono(pcm, PHONE_RATE_HZ)).decode() if pcm else None)
    return sounds
