"""The messages of a Twilio Media Stream, with Twilio's names: `parse` reads, `render_…` write.

Laws: `parse` never raises: a message that it does not know is `Malformed`, with one of the reasons
in `MALFORMED_REASONS`. The renderers write the fields that Twilio documents and no other, because
Twilio treats an extra field as a fault (31951).

Source: Twilio documentation, Media Streams, WebSocket messages (read in October 2026). Numbers
arrive as JSON strings; key order varies; media may have any length.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message of a stream. It has no streamSid."""

    protocol: str
    version: str


@dataclass(frozen=True, slots=True)
class Start:
    """The second message of a stream, with the call's SIDs and the TwiML's parameters."""

    stream_sid: str
    account_sid: str
    call_sid: str
    custom_parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    """Caller audio: µ-law, 8 kHz, mono, of any length (usually 160 bytes, 20 ms).

    `timestamp_ms` counts from the start of the stream and does not begin at 0.
    """

    stream_sid: str
    payload: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The echo of a mark: played, or flushed by a clear; Twilio does not say which."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key the caller pressed: 0-9, *, #, A-D. No text of it tells which."""

    stream_sid: str
    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream has ended; Twilio does not say why."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that `parse` does not know. `reason` is a short, fixed phrase for counting."""

    reason: str


Message = Connected | Start | Media | Mark | Dtmf | Stop | Malformed

MALFORMED_REASONS = frozenset(
    {
        "binary frame",
        "not JSON",
        "nested too deeply",
        "not an object",
        "unknown event",
        "missing or wrong field",
        "bad base64",
        "empty payload",
        "outbound track",
        "other media format",
    }
)
"""Every reason that `parse` gives, so that a metric can have a label for each."""


def parse(text: str | bytes) -> Message:
    """Read one WebSocket message from Twilio.

    Args:
        text: The message: str for a text frame, bytes for a binary one, which is never Twilio's.

    Returns:
        The message, or `Malformed`. Unknown fields are ignored. The calling code must check that
        the streamSid is the current one.
    """
    if isinstance(text, bytes):
        return Malformed("binary frame")
    try:
        return _decode(text).message()
    except msgspec.ValidationError as error:
        return Malformed(_why(str(error)))
    except (msgspec.DecodeError, UnicodeEncodeError):  # a lone surrogate is not UTF-8
        return Malformed("not JSON")
    except RecursionError:
        return Malformed("nested too deeply")


def render_media(stream_sid: str, ulaw: bytes) -> str:
    """A message with audio for the caller, which Twilio adds to its buffer.

    Args:
        stream_sid: The streamSid of the current `Start`.
        ulaw: µ-law, 8 kHz, mono, without a header; preferably a multiple of 160 bytes (20 ms).

    Raises:
        ValueError: `ulaw` is empty, which Twilio treats as a fault.
    """
    if not ulaw:
        raise ValueError("expected µ-law audio to send, got 0 bytes; send nothing instead")
    return _encode(_SentMedia(stream_sid, _SentPayload(ulaw))).decode()


def render_mark(stream_sid: str, name: str) -> str:
    """A message that asks Twilio to echo `name` once all audio before it was played or cleared."""
    return _encode(_SentMark(stream_sid, _MarkBody(name))).decode()


def render_clear(stream_sid: str) -> str:
    """A message that empties Twilio's buffer. All outstanding marks then come back at once."""
    return _encode(_SentClear(stream_sid)).decode()


class _Wire(msgspec.Struct, tag_field="event", rename="camel", gc=False):
    """A message as it is on the wire; the tag is its `event`.

    Fields that a call does not need may be missing. Fields that are there must be valid.
    """


class _MediaFormat(msgspec.Struct, rename="camel", gc=False, frozen=True):
    encoding: str
    sample_rate: int
    channels: int


_MEDIA_FORMAT = _MediaFormat("audio/x-mulaw", 8_000, 1)


class _StartBody(msgspec.Struct, rename="camel"):
    account_sid: str
    call_sid: str
    media_format: _MediaFormat = _MEDIA_FORMAT
    custom_parameters: dict[str, str] = msgspec.field(default_factory=dict)


class _MediaBody(msgspec.Struct, gc=False):
    payload: bytes
    track: Literal["inbound", "outbound"] = "inbound"
    timestamp: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0


class _MarkBody(msgspec.Struct, gc=False):
    name: str


class _DtmfBody(msgspec.Struct, gc=False):
    digit: Annotated[str, msgspec.Meta(pattern=r"\A[0-9*#A-D]\Z")]


class _Connected(_Wire, tag="connected"):
    protocol: str = ""
    version: str = ""

    def message(self) -> Message:
        return Connected(self.protocol, self.version)


class _Start(_Wire, tag="start"):
    stream_sid: str
    start: _StartBody

    def message(self) -> Message:
        body = self.start
        if body.media_format != _MEDIA_FORMAT:
            return Malformed("other media format")
        return Start(self.stream_sid, body.account_sid, body.call_sid, body.custom_parameters)


class _Media(_Wire, tag="media"):
    stream_sid: str
    media: _MediaBody

    def message(self) -> Message:
        body = self.media
        if body.track != "inbound":
            return Malformed("outbound track")
        if not body.payload:
            return Malformed("empty payload")
        return Media(self.stream_sid, body.payload, body.timestamp)


class _Mark(_Wire, tag="mark"):
    stream_sid: str
    mark: _MarkBody

    def message(self) -> Message:
        return Mark(self.stream_sid, self.mark.name)


class _Dtmf(_Wire, tag="dtmf"):
    stream_sid: str
    dtmf: _DtmfBody

    def message(self) -> Message:
        return Dtmf(self.stream_sid, self.dtmf.digit)


class _Stop(_Wire, tag="stop"):
    stream_sid: str

    def message(self) -> Message:
        return Stop(self.stream_sid)


class _SentPayload(msgspec.Struct, gc=False):
    payload: bytes


class _SentMedia(_Wire, tag="media"):
    stream_sid: str
    media: _SentPayload


class _SentMark(_Wire, tag="mark"):
    stream_sid: str
    mark: _MarkBody


class _SentClear(_Wire, tag="clear"):
    stream_sid: str


_Received = _Connected | _Start | _Media | _Mark | _Dtmf | _Stop

# Not strict, because Twilio sends most numbers as JSON strings, but some as numbers.
_decode: Callable[[str], _Received] = msgspec.json.Decoder(_Received, strict=False).decode
_encode = msgspec.json.Encoder().encode


def _why(error: str) -> str:
    """The reason for a msgspec error. Tests check msgspec's wording."""
    if error.endswith(("`$.event`", "required field `event`")):
        return "unknown event"
    if error.endswith("`$.media.payload`") and "base64" in error:
        return "bad base64"
    if error.startswith("Expected `object`") and " - at " not in error:
        return "not an object"
    return "missing or wrong field"
