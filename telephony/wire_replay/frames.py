"""Turns recorded events back into the frames that Twilio sent."""

import json

from telephony.errors import RecordingError
from telephony.simulator import wire

_OTHER_STREAM = "MZ" + "f" * 32


def _media(**fields: object) -> str:
    return json.dumps({"event": "media", "streamSid": _OTHER_STREAM, "media": fields})


_START = {
    "event": "start",
    "streamSid": _OTHER_STREAM,
    "start": {
        "accountSid": "AC0",
        "callSid": "CA0",
        "mediaFormat": {"encoding": "audio/l16", "sampleRate": 8000, "channels": 1},
    },
}

_MALFORMED: dict[str, str | bytes] = {
    "binary frame": b"\x00",
    "not JSON": "{",
    "nested too deeply": '{"event":"stop","x":' + "[" * 60_000,
    "not an object": "[]",
    "unknown event": '{"event":"unheard-of"}',
    "missing or wrong field": '{"event":"media"}',
    "bad base64": _media(payload="?"),
    "empty payload": _media(payload=""),
    "outbound track": _media(payload="/w==", track="outbound"),
    "other media format": json.dumps(_START),
    "out of order": wire.connected(),
    "wrong streamSid": wire.mark(1, _OTHER_STREAM, "of another stream"),
}


def malformed(reason: str) -> str | bytes:
    """A frame that is malformed for this reason.

    Raises:
        RecordingError: The server gives no such reason.
    """
    if reason not in _MALFORMED:
        expected = f"expected Malformed for one of {', '.join(_MALFORMED)}"
        raise RecordingError("--wire", f"{expected}, got {reason!r}", "replay it without --wire")
    return _MALFORMED[reason]
