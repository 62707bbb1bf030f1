"""The messages of a Media Stream, from Twilio's end, written as Twilio writes them.

A server's messages are checked as strictly as Twilio checks them. This module was written from
Twilio's documentation (Media Streams, WebSocket messages; errors 31950 and 31951; read in October
2026) and captures of real calls. It shares no code with the server's parser, because a bug there
must not hide behind the same bug here.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec

BINARY_FRAME = 31950
INVALID_MESSAGE = 31951


class InvalidMessage(ValueError):  # noqa: N818 - a verdict, not a failure
    """Twilio ignores this message and warns. `code` is the warning's code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class _FromServer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", tag_field="event"
):
    stream_sid: str


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: bytes
    """Base64 of the standard alphabet on the wire."""


class _Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class Media(_FromServer, frozen=True, tag="media"):
    """Audio to queue: µ-law, 8 kHz, mono."""

    media: _Payload


class Mark(_FromServer, frozen=True, tag="mark"):
    """A name to send back once all audio before it has been played."""

    mark: _Name


class Clear(_FromServer, frozen=True, tag="clear"):
    """A request to empty the queue."""


type ServerMessage = Media | Mark | Clear

_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(Media | Mark | Clear)


def read(frame: str | bytes, stream_sid: str) -> ServerMessage:
    """Read one WebSocket message of the server.

    Args:
        frame: `str` for a text frame, `bytes` for a binary one.
        stream_sid: The present stream's SID.

    Raises:
        InvalidMessage: Binary, not JSON, an unknown event, a field missing, unexpected or of the
            wrong type, another stream, base64 that is none, or nothing in it.
    """
    if isinstance(frame, bytes):
        raise InvalidMessage(BINARY_FRAME, "binary frame")
    try:
        message = _decoder.decode(frame)
    except msgspec.DecodeError as error:
        raise InvalidMessage(INVALID_MESSAGE, str(error)) from error
    if message.stream_sid != stream_sid:
        raise InvalidMessage(INVALID_MESSAGE, "streamSid of another stream")
    match message:
        case Media() if not message.media.payload:
            raise InvalidMessage(INVALID_MESSAGE, "empty payload")
        case Mark() if not message.mark.name:
            raise InvalidMessage(INVALID_MESSAGE, "empty mark name")
    return message


def connected() -> str:
    """The first message, the only one without a streamSid."""
    return _text({"event": "connected", "protocol": "Call", "version": "1.0.0"})


def start(
    sequence: int, stream_sid: str, call_sid: str, account_sid: str, parameters: Mapping[str, str]
) -> str:
    """The second message: who is calling, and the parameters of the TwiML's Stream."""
    about = {
        "accountSid": account_sid,
        "streamSid": stream_sid,
        "callSid": call_sid,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": dict(parameters),
    }
    return _message("start", sequence, stream_sid, about)


def media(sequence: int, stream_sid: str, chunk: int, timestamp_ms: int, ulaw: bytes) -> str:
    """Caller audio. Its numbers are strings, as all of Twilio's except in `mediaFormat`.

    It is the most frequent message by far, and nothing in it needs escapes.
    """
    payload = base64.b64encode(ulaw).decode("ascii")
    return (
        f'{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{stream_sid}","media":{{'
        f'"track":"inbound","chunk":"{chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}}}}'
    )


def dtmf(sequence: int, stream_sid: str, digit: str) -> str:
    """A key. The track has another name here than in media."""
    return _message("dtmf", sequence, stream_sid, {"track": "inbound_track", "digit": digit})


def mark(sequence: int, stream_sid: str, name: str) -> str:
    """The echo of a mark, played or flushed."""
    return _message("mark", sequence, stream_sid, {"name": name})


def stop(sequence: int, stream_sid: str, call_sid: str, account_sid: str) -> str:
    """The last message, without a reason."""
    return _message("stop", sequence, stream_sid, {"accountSid": account_sid, "callSid": call_sid})


def _message(event: str, sequence: int, stream_sid: str, about: Mapping[str, Any]) -> str:
    return _text(
        {"event": event, "sequenceNumber": str(sequence), "streamSid": stream_sid, event: about}
    )


def _text(message: Mapping[str, Any]) -> str:
    return _ENCODE(message)


_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
