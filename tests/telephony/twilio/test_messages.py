"""Messages of a Media Stream: what Twilio documents, and whatever else may come."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telephony.twilio.messages import (
    MALFORMED_REASONS,
    Connected,
    Dtmf,
    Malformed,
    Mark,
    Media,
    Message,
    Start,
    Stop,
    parse,
    render_clear,
    render_mark,
    render_media,
)

WIRE = Path(__file__).parents[3] / "fixtures" / "wire" / "twilio"
STREAM = "MZ18ad3ab5a668481ce02b83e7395059f0"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CALL = "CAfedcba9876543210fedcba9876543210"

DOCUMENTED: dict[str, Message] = {
    "connected": Connected("Call", "1.0.0"),
    "connected-2019": Connected("Call", "0.2.0"),
    "start": Start(STREAM, ACCOUNT, CALL, {"token": "abc", "lang": "it"}),
    "start-no-parameters": Start(STREAM, ACCOUNT, CALL, {}),
    "media": Media(STREAM, b"\xff" * 160, 155),
    "media-other-order": Media(STREAM, bytes(range(160)), 175),
    "dtmf": Dtmf(STREAM, "1"),
    "mark": Mark(STREAM, "r12:3"),
    "mark-other-order": Mark(STREAM, "r12:4"),
    "stop": Stop(STREAM),
    "stop-other-order": Stop(STREAM),
}

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
)
_KEYS = st.sampled_from(
    ["event", "streamSid", "media", "start", "mark", "dtmf", "payload", "track", "timestamp"]
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=4), inner),
    max_leaves=12,
)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_a_documented_message_is_read(name: str) -> None:
    assert parse((WIRE / f"{name}.json").read_text()) == DOCUMENTED[name]


def test_every_documented_message_is_read_by_a_test() -> None:
    assert {path.stem for path in WIRE.glob("*.json")} == set(DOCUMENTED)


def wire(name: str, /, **changes: Any) -> dict[str, Any]:
    """A documented message with `changes` in the object named like its event, or beside it.

    A change to `...` takes the field away.
    """
    message: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text())
    body = message.get(message["event"], message)
    for key, value in changes.items():
        owner = body if key in body else message
        if value is ...:
            del owner[key]
        else:
            owner[key] = value
    return message


@pytest.mark.parametrize("timestamp", ["155", 155, 155.0])
def test_a_number_may_come_as_text_or_as_a_number(timestamp: str | float) -> None:
    assert parse(json.dumps(wire("media", timestamp=timestamp))) == DOCUMENTED["media"]


def test_a_media_format_may_come_as_text() -> None:
    text = wire("start", mediaFormat=media_format(sampleRate="8000", channels="1"))
    assert parse(json.dumps(text)) == DOCUMENTED["start"]


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_fields_we_do_not_know_are_passed_over(name: str) -> None:
    message = wire(name, novelty={"a": [1, None]})
    body = message.get(message["event"])
    if body is not None:
        body["novelty"] = "x"
    assert parse(json.dumps(message)) == DOCUMENTED[name]


@pytest.mark.parametrize(
    "message",
    [
        wire("connected", protocol=...),
        wire("start", mediaFormat=...),
        wire("media", track=...),
        wire("media", timestamp=...),
    ],
)
def test_what_a_call_does_not_need_may_be_missing(message: dict[str, Any]) -> None:
    assert not isinstance(parse(json.dumps(message)), Malformed)


def test_fields_we_do_not_use_may_be_missing() -> None:
    message = wire("media", sequenceNumber=..., chunk=...)
    assert parse(json.dumps(message)) == DOCUMENTED["media"]
    assert parse(json.dumps(wire("start", customParameters=..., tracks=...))) == Start(
        STREAM, ACCOUNT, CALL, {}
    )


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_every_key_of_a_telephone_is_a_digit(digit: str) -> None:
    assert parse(json.dumps(wire("dtmf", digit=digit))) == Dtmf(STREAM, digit)


def media_format(**changes: Any) -> dict[str, Any]:
    return {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1} | changes


MALFORMED: list[tuple[object, str]] = [
    (b"", "binary frame"),
    (b'{"event":"connected","protocol":"Call","version":"1.0.0"}', "binary frame"),
    ("", "not JSON"),
    ("hello", "not JSON"),
    ('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}', "not JSON"),
    ('{"event":"stop","streamSid":"MZ1"} {}', "not JSON"),
    ('{"event":"stop","streamSid":"\ud800"}', "not JSON"),
    ('{"event":"stop","streamSid":"\\ud800"}', "not JSON"),
    ('{"event":"stop","x":' + "[" * 60_000, "nested too deeply"),
    ([], "not an object"),
    (None, "not an object"),
    ("[" * 60_000, "not an object"),
    ('"media"', "not an object"),
    (7, "not an object"),
    ({}, "unknown event"),
    ({"streamSid": STREAM}, "unknown event"),
    ({"event": "clear", "streamSid": STREAM}, "unknown event"),
    ({"event": "Media"}, "unknown event"),
    ({"event": "bad base64 `$.media.payload`"}, "unknown event"),
    ({"event": 1}, "unknown event"),
    ({"event": None}, "unknown event"),
    ({"event": {"event": "stop"}}, "unknown event"),
    (wire("connected", version=1), "missing or wrong field"),
    (wire("connected", protocol=1), "missing or wrong field"),
    (wire("start", start=...), "missing or wrong field"),
    (wire("start", callSid=...), "missing or wrong field"),
    (wire("start", accountSid=None), "missing or wrong field"),
    (wire("start", customParameters={"token": 1}), "missing or wrong field"),
    (wire("start", mediaFormat=media_format(encoding="audio/x-alaw")), "other media format"),
    (wire("start", mediaFormat=media_format(sampleRate=16000)), "other media format"),
    (wire("start", mediaFormat=media_format(channels=2)), "other media format"),
    (wire("media", streamSid=...), "missing or wrong field"),
    (wire("media", streamSid=1), "missing or wrong field"),
    (wire("media", media=...), "missing or wrong field"),
    (wire("media", media=[]), "missing or wrong field"),
    (wire("media", track="sideways"), "missing or wrong field"),
    (wire("media", track="outbound"), "outbound track"),
    (wire("media", timestamp="soon"), "missing or wrong field"),
    (wire("media", timestamp="1.5"), "missing or wrong field"),
    (wire("media", timestamp=True), "missing or wrong field"),
    (wire("media", timestamp="-20"), "missing or wrong field"),
    (wire("media", timestamp="9" * 5000), "missing or wrong field"),
    (wire("media", payload=...), "missing or wrong field"),
    (wire("media", payload=160), "missing or wrong field"),
    (wire("media", payload=""), "empty payload"),
    (wire("media", payload="/w="), "bad base64"),
    (wire("media", payload="_w=="), "bad base64"),
    (wire("media", payload="/w==\n"), "bad base64"),
    (wire("media", payload="µ-law"), "bad base64"),
    (wire("mark", mark={}), "missing or wrong field"),
    (wire("mark", name=3), "missing or wrong field"),
    (wire("dtmf", digit=""), "missing or wrong field"),
    (wire("dtmf", digit="12"), "missing or wrong field"),
    (wire("dtmf", digit="1\n"), "missing or wrong field"),
    (wire("dtmf", digit=1), "missing or wrong field"),
    (wire("stop", streamSid=...), "missing or wrong field"),
]


def shown(value: object) -> str:
    return ascii(value)[:48]


@pytest.mark.parametrize(("message", "reason"), MALFORMED, ids=shown)
def test_anything_else_is_malformed_and_says_why(message: object, reason: str) -> None:
    text = message if isinstance(message, str | bytes) else json.dumps(message)
    assert parse(text) == Malformed(reason)


def test_every_reason_is_shown_by_an_example() -> None:
    assert {reason for _, reason in MALFORMED} == MALFORMED_REASONS


def holds(message: Message) -> None:
    """What is true of everything `parse` returns."""
    if isinstance(message, Malformed):
        assert message.reason in MALFORMED_REASONS


@given(st.text() | st.text(st.characters()) | st.binary())
def test_no_text_and_no_bytes_make_it_raise(text: str | bytes) -> None:
    holds(parse(text))


@given(_JSON)
@example({"event": "start", "streamSid": "MZ1", "start": {"mediaFormat": []}})
def test_no_json_makes_it_raise(value: object) -> None:
    holds(parse(json.dumps(value)))


@given(st.sampled_from(sorted(DOCUMENTED)), st.data())
def test_no_damage_to_a_documented_message_makes_it_raise(name: str, data: st.DataObject) -> None:
    message = wire(name)
    owner = data.draw(st.sampled_from([message, message.get(message["event"], message)]))
    key = data.draw(st.sampled_from(sorted(owner)))
    owner[key] = data.draw(_JSON)
    text = json.dumps(message)
    holds(parse(text))
    holds(parse(text[: data.draw(st.integers(0, len(text)))]))


@given(
    stream_sid=st.text(),
    payload=st.binary(min_size=1, max_size=2000),
    timestamp_ms=st.integers(0, 10**9),
    data=st.data(),
)
def test_media_survives_the_wire_in_any_key_order(
    stream_sid: str, payload: bytes, timestamp_ms: int, data: st.DataObject
) -> None:
    def shuffled(fields: dict[str, Any]) -> dict[str, Any]:
        return dict(data.draw(st.permutations(list(fields.items()))))

    body = shuffled(
        {
            "track": "inbound",
            "chunk": "1",
            "timestamp": str(timestamp_ms),
            "payload": base64.b64encode(payload).decode(),
        }
    )
    message = shuffled(
        {"event": "media", "sequenceNumber": "2", "streamSid": stream_sid, "media": body}
    )
    assert parse(json.dumps(message)) == Media(stream_sid, payload, timestamp_ms)
    assert parse(json.dumps(message, ensure_ascii=False)) == Media(
        stream_sid, payload, timestamp_ms
    )


@given(stream_sid=st.text(), ulaw=st.binary(min_size=1, max_size=2000))
def test_media_goes_out_with_the_documented_fields_and_no_other(
    stream_sid: str, ulaw: bytes
) -> None:
    assert json.loads(render_media(stream_sid, ulaw)) == {
        "event": "media",
        "streamSid": stream_sid,
        "media": {"payload": base64.b64encode(ulaw).decode()},
    }


def test_an_empty_payload_is_never_sent() -> None:
    with pytest.raises(ValueError, match="got 0 bytes"):
        render_media(STREAM, b"")


@given(stream_sid=st.text(), name=st.text())
def test_a_mark_goes_out_and_its_echo_is_read(stream_sid: str, name: str) -> None:
    text = render_mark(stream_sid, name)
    assert json.loads(text) == {"event": "mark", "streamSid": stream_sid, "mark": {"name": name}}
    assert parse(text) == Mark(stream_sid, name)


@given(stream_sid=st.text())
def test_a_clear_carries_nothing_but_its_stream(stream_sid: str) -> None:
    assert json.loads(render_clear(stream_sid)) == {"event": "clear", "streamSid": stream_sid}
