"""What is written and read past the SDK is what the SDK writes and reads."""

import asyncio
import json
from base64 import b64encode, urlsafe_b64encode
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from google import genai
from google.genai import types
from google.genai.live import AsyncSession
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from agent.conversation.events import ModelEvent
from agent.gemini.audio_messages import CALLER_AUDIO, caller_audio, reply_audio
from agent.gemini.connection import UNREADABLE
from agent.gemini.messages import Messages

WIRE = Path(__file__).parents[3] / "fixtures" / "wire" / "gemini"

PLAIN = {"audio_cut_within_a_sample", "audio_of_no_length"}
"""The samples that are nothing but reply audio, in one part."""


class Paper:
    """A socket in the SDK's hands: keeps what is sent, and gives one message."""

    def __init__(self, message: bytes = b"") -> None:
        self.message, self.sent = message, list[str]()

    async def send(self, message: str) -> None:
        self.sent.append(message)

    async def recv(self, *, decode: bool) -> bytes:
        assert decode is False
        return self.message


@cache
def client() -> genai.Client:
    return genai.Client(enterprise=False, api_key="none")


def session(paper: Paper) -> AsyncSession:
    return AsyncSession(client()._api_client, cast("ClientConnection", paper))


def as_the_sdk_reads_it(message: bytes) -> types.LiveServerMessage:
    async def read() -> types.LiveServerMessage:
        async for received in session(Paper(message)).receive():
            return received
        raise ValueError("nothing")

    return asyncio.run(read())


def events(messages: list[types.LiveServerMessage | bytes]) -> list[ModelEvent]:
    reader = Messages(7)
    return [event for message in messages for event in reader.events(message)]


@given(st.binary(max_size=64).map(lambda half: half + half))
@example(b"")
@example(bytes(range(256)))
def test_caller_audio_has_the_bytes_that_the_sdk_sends(pcm: bytes) -> None:
    paper = Paper()
    blob = types.Blob(data=pcm, mime_type=CALLER_AUDIO)
    asyncio.run(session(paper).send_realtime_input(audio=blob))
    assert paper.sent == [caller_audio(pcm).decode()]


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.json")), ids=lambda path: path.stem)
def test_of_the_samples_only_those_that_are_nothing_but_audio_are_read_here(path: Path) -> None:
    message = path.read_bytes()
    pcm = reply_audio(message)
    assert (pcm is not None) is (path.stem in PLAIN)
    if pcm is not None:
        assert events([pcm]) == events([as_the_sdk_reads_it(message)])


def part(data: str, mime_type: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def content(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": list(parts)}, **more}}


@pytest.mark.parametrize(
    "message",
    [
        content(part("AAAA")),
        {"serverContent": {"modelTurn": {"role": "model", "parts": [part("AAAA")]}}},
        content(part("+/+/")),
        content(part("")),
    ],
)
def test_plain_audio_is_read_here(message: dict[str, Any]) -> None:
    for text in (json.dumps(message), json.dumps(message, indent=1).replace("/", r"\/")):
        assert (pcm := reply_audio(text.encode())) is not None
        assert events([pcm]) == events([as_the_sdk_reads_it(text.encode())])
        assert reply_audio(memoryview(text.encode())) == pcm


@pytest.mark.parametrize(
    "message",
    [
        content(part("AAAA"), part("AAAA")),
        content(part("AAAA") | {"thought": True}),
        content(part("AAAA", "audio/pcm;rate=16000")),
        content(part("AAAA", "audio/pcm")),
        content(part("-_-_")),
        content(part("AAA")),
        content(part("AAAA"), interrupted=True),
        content(part("AAAA"), turnComplete=True),
        content(part("AAAA"), outputTranscription={"text": "word"}),
        content(part("AAAA"), aFieldOfTomorrow=1),
        content(part("AAAA")) | {"usageMetadata": {"totalTokenCount": 1}},
        content(part("AAAA")) | {"goAway": {"timeLeft": "1s"}},
        content(part("AAAA")) | {"error": {"code": 429}},
        content({"text": "word"}),
        content(),
        {"setupComplete": {}},
        {},
        [],
        None,
    ],
)
def test_every_other_message_is_left_to_the_sdk(message: object) -> None:
    assert reply_audio(json.dumps(message).encode()) is None


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"<html>", b"\xff", b'{"serverContent"', b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda message: message[:9],
)
def test_what_is_no_message_at_all_is_left_to_the_sdk(message: bytes) -> None:
    assert reply_audio(message) is None


DATA = st.one_of(
    st.binary(max_size=9).map(lambda pcm: b64encode(pcm).decode()),
    st.binary(max_size=9).map(lambda pcm: urlsafe_b64encode(pcm).decode()),
    st.text("AQab+/=_- \n", max_size=9),
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "inlineData": st.fixed_dictionaries(
            {},
            optional={
                "mimeType": st.sampled_from(
                    ["audio/pcm;rate=24000", "audio/pcm", "audio/PCM;rate=24000", "text/html", None]
                ),
                "data": st.one_of(DATA, st.none()),
                "displayName": st.just("x"),
            },
        ),
        "text": st.just("word"),
        "thought": st.booleans(),
    },
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "serverContent": st.fixed_dictionaries(
            {},
            optional={
                "modelTurn": st.fixed_dictionaries(
                    {},
                    optional={
                        "parts": st.one_of(st.lists(PARTS, max_size=2), st.just({})),
                        "role": st.sampled_from(["model", "user", "", None]),
                    },
                ),
                "interrupted": st.booleans(),
                "generationComplete": st.booleans(),
            },
        ),
        "usageMetadata": st.just({"totalTokenCount": 3}),
        "tomorrow": st.just({}),
    },
)


@given(st.lists(st.one_of(MESSAGES, st.builds(lambda data: content(part(data)), DATA)), max_size=6))
def test_any_messages_are_the_same_events_whoever_reads_them(messages: list[Any]) -> None:
    ours: list[types.LiveServerMessage | bytes] = []
    sdks: list[types.LiveServerMessage | bytes] = []
    for message in messages:
        text = json.dumps(message).encode()
        try:
            sdk = as_the_sdk_reads_it(text)
        except UNREADABLE:
            assert reply_audio(text) is None
            continue
        pcm = reply_audio(text)
        ours.append(sdk if pcm is None else pcm)
        sdks.append(sdk)
    assert events(ours) == events(sdks)
