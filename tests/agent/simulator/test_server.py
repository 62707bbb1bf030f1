"""The unmodified google-genai SDK, over TLS, against the simulated server."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import InvalidStatus

from agent.simulator.behaviour import BRISK
from agent.simulator.faults import Close, Fault, RefuseConnect, Reset, Send
from agent.simulator.model import DEFAULT_PATH, GeminiServer
from agent.simulator.script import shipped
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip, texts

MODEL = "gemini-3.8-live"
HASTY = replace(BRISK, speed=30, turn_complete_at="last audio")
PATIENCE_S = 20
"""Only so that a test that hangs fails."""


@pytest.fixture
async def gemini() -> AsyncIterator[SimulatedGemini]:
    async with SimulatedGemini(GeminiServer(shipped("booking"), HASTY)) as running:
        yield running


def client_of(gemini: SimulatedGemini) -> genai.Client:
    arguments = {
        "ssl": ssl.create_default_context(cafile=gemini.ca_file),
        "compression": None,
        "max_size": None,
        "ping_interval": None,
    }
    options = types.HttpOptions(
        base_url=gemini.base_url, api_version="v1beta", async_client_args=arguments
    )
    return genai.Client(api_key="any", http_options=options)


@asynccontextmanager
async def session_of(gemini: SimulatedGemini, handle: str = "") -> AsyncIterator[AsyncSession]:
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        session_resumption=types.SessionResumptionConfig(handle=handle or None),
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(trigger_tokens=25_000),
        realtime_input_config=types.RealtimeInputConfig(
            automatic_activity_detection=types.AutomaticActivityDetection(
                start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_HIGH,
                end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_HIGH,
                prefix_padding_ms=20,
                silence_duration_ms=300,
            )
        ),
    )
    client = client_of(gemini)
    async with asyncio.timeout(PATIENCE_S):
        async with client.aio.live.connect(model=MODEL, config=config) as session:
            yield session


class Inbox:
    """What a session received, in order."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.messages: list[types.LiveServerMessage] = []

    async def until(self, wanted: Callable[[types.LiveServerMessage], object]) -> None:
        """Receive up to and with the first message that is wanted."""
        async with asyncio.timeout(30):
            while True:
                async for message in self._session.receive():
                    self.messages.append(message)
                    if wanted(message):
                        return

    @property
    def handle(self) -> str:
        updates = [m.session_resumption_update for m in self.messages]
        return [u.new_handle for u in updates if u and u.new_handle][-1]

    @property
    def pcm(self) -> bytes:
        return b"".join(message.data or b"" for message in self.messages)

    @property
    def understood(self) -> str:
        contents = [m.server_content for m in self.messages if m.server_content]
        told = [c.input_transcription for c in contents if c.input_transcription]
        return "".join(one.text or "" for one in told)


def resumable(message: types.LiveServerMessage) -> bool:
    update = message.session_resumption_update
    return bool(update and update.new_handle)


def interrupted(message: types.LiveServerMessage) -> bool:
    return bool(message.server_content and message.server_content.interrupted)


def has_audio(message: types.LiveServerMessage) -> bool:
    return bool(message.data)


async def speak(session: AsyncSession, name: str) -> None:
    """A clip, faster than real time, and the end of the stream."""
    pcm = clip(f"caller/{name}", 16_000).pcm
    for at in range(0, len(pcm), 640):
        blob = types.Blob(data=pcm[at : at + 640], mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)
    await session.send_realtime_input(audio_stream_end=True)


async def greeted(session: AsyncSession) -> Inbox:
    inbox = Inbox(session)
    await inbox.until(resumable)
    await session.send_realtime_input(text="Greet the caller.")
    await inbox.until(resumable)
    return inbox


async def test_the_sdk_is_greeted_heard_and_answered(gemini: SimulatedGemini) -> None:
    async with session_of(gemini) as session:
        assert session.setup_complete is not None
        inbox = await greeted(session)
        assert inbox.pcm == clip("agent/greeting").pcm
        await speak(session, "half-past")
        await inbox.until(resumable)

    assert inbox.understood == texts()["caller/half-past"]
    assert inbox.pcm == clip("agent/greeting").pcm + clip("agent/name").pcm
    [utterance] = gemini.server.heard
    assert utterance.phrase == "half-past"
    assert utterance.coverage > 0.98
    sent = clip("caller/half-past", 16_000).pcm
    assert gemini.server.sessions[0].received_ms == len(sent) / 32
    usage = [message.usage_metadata for message in inbox.messages if message.usage_metadata]
    assert [bool(one.response_token_count) for one in usage] == [True, True]


async def test_the_sdk_is_interrupted_and_answered_anew() -> None:
    async with (
        SimulatedGemini(GeminiServer(shipped("booking"), BRISK)) as gemini,
        session_of(gemini) as session,
    ):
        inbox = await greeted(session)
        await speak(session, "table")
        await inbox.until(has_audio)
        await speak(session, "half-past")
        await inbox.until(interrupted)
        sent = len(inbox.messages)
        await inbox.until(resumable)
        assert not any(has_audio(message) for message in inbox.messages[sent:])
        await inbox.until(resumable)

    assert inbox.pcm.endswith(clip("agent/name").pcm)
    assert [one.phrase for one in gemini.server.heard] == ["table", "half-past"]


async def test_the_sdk_resumes_where_it_stood(gemini: SimulatedGemini) -> None:
    async with session_of(gemini) as session:
        handle = (await greeted(session)).handle
    async with session_of(gemini, handle) as session:
        assert len(gemini.server.open_sessions) == 1
        inbox = Inbox(session)
        await inbox.until(resumable)
        await session.send_realtime_input(text="Are you there?")
        await inbox.until(resumable)
    assert inbox.pcm == clip("agent/still-here").pcm


async def test_the_sdk_is_refused_with_an_unknown_handle(gemini: SimulatedGemini) -> None:
    with pytest.raises(errors.APIError) as refused:
        async with session_of(gemini, "nonsense"):
            pytest.fail("expected a refusal, got a session")
    assert (refused.value.code, refused.value.details) == (1007, "Invalid session handle")


@pytest.mark.parametrize(
    ("fault", "code"), [(Reset(), 1006), (Close(1011, "Internal error encountered."), 1011)]
)
async def test_the_sdk_sees_a_cut_and_can_resume_at_once(
    gemini: SimulatedGemini, fault: Fault, code: int
) -> None:
    async with session_of(gemini) as session:
        inbox = await greeted(session)
        gemini.inject(fault)
        with pytest.raises(errors.APIError) as cut:
            await inbox.until(resumable)
        assert cut.value.code == code
        async with session_of(gemini, inbox.handle) as again:
            assert again.setup_complete is not None


async def test_the_sdk_is_refused_at_the_handshake_or_the_setup(gemini: SimulatedGemini) -> None:
    gemini.inject(RefuseConnect(429, "RESOURCE_EXHAUSTED"))
    gemini.inject(RefuseConnect(1011, "RESOURCE_EXHAUSTED"))
    with pytest.raises(InvalidStatus) as status:
        async with session_of(gemini):
            pytest.fail("expected a refusal, got a session")
    assert status.value.response.status_code == 429
    with pytest.raises(errors.APIError) as refused:
        async with session_of(gemini):
            pytest.fail("expected a refusal, got a session")
    assert refused.value.code == 1011


async def test_a_message_the_sdk_does_not_know_leaves_the_session_alive(
    gemini: SimulatedGemini,
) -> None:
    async with session_of(gemini) as session:
        inbox = await greeted(session)
        gemini.inject(Send({"unknownToThisSdk": {}}))
        with pytest.raises(TypeError):
            await inbox.until(resumable)
        await session.send_realtime_input(text="Are you there?")
        await inbox.until(resumable)
    assert inbox.pcm.endswith(clip("agent/still-here").pcm)


async def test_two_sessions_at_once_do_not_mix(gemini: SimulatedGemini) -> None:
    async def talk(name: str) -> bytes:
        async with session_of(gemini) as session:
            inbox = await greeted(session)
            await speak(session, name)
            await inbox.until(resumable)
            return inbox.pcm

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(talk("morgan"))
        second = tasks.create_task(talk("goodbye"))
    assert first.result() == clip("agent/greeting").pcm + clip("agent/confirm").pcm
    assert second.result() == clip("agent/greeting").pcm + clip("agent/goodbye").pcm


async def test_frames_are_binary_and_not_compressed_and_what_is_not_json_closes_1007(
    gemini: SimulatedGemini,
) -> None:
    trust = ssl.create_default_context(cafile=gemini.ca_file)
    uri = f"wss://localhost:{gemini.port}/{DEFAULT_PATH}?key=any"
    async with asyncio.timeout(PATIENCE_S), connect_websocket(uri, ssl=trust) as socket:
        assert socket.protocol.extensions == []
        await socket.send('{"setup": {"model": "models/gemini-3.8-live"}}')
        assert await socket.recv() == b'{"setupComplete": {}}'
        await socket.send("{")
        await socket.wait_closed()
        assert socket.close_code == 1007


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 403),
        ("?key=wrong", {}, 403),
        ("?key=right", {}, 101),
        ("?access_token=right", {}, 101),
        ("", {"Authorization": "Token right"}, 101),
        ("", {"x-goog-api-key": "right"}, 101),
    ],
)
async def test_a_key_is_taken_wherever_it_is_put(
    query: str, headers: dict[str, str], status: int
) -> None:
    strict = replace(BRISK, keys=frozenset({"right"}))
    async with SimulatedGemini(GeminiServer(None, strict)) as gemini:
        trust = ssl.create_default_context(cafile=gemini.ca_file)
        uri = f"wss://127.0.0.1:{gemini.port}{DEFAULT_PATH}{query}"
        try:
            async with connect_websocket(uri, ssl=trust, additional_headers=headers) as socket:
                assert socket.response is not None
                answered = socket.response.status_code
        except InvalidStatus as refused:
            answered = refused.response.status_code
    assert answered == status


async def test_the_command_says_what_to_set_and_the_sdk_needs_nothing_else(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from agent.simulator.server import serve;"
        "asyncio.run(serve(port=0, cert_dir=Path(sys.argv[1]), script='small-talk', seed=3))"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        lines = [(await server.stdout.readline()).decode().split() for _ in range(3)]
        assert [words[0] for words in lines] == ["export"] * 3
        given = dict(words[1].split("=", 1) for words in lines)
        talk = (
            "import asyncio; from google import genai\n"
            "async def main():\n"
            "    client = genai.Client()\n"
            f"    async with client.aio.live.connect(model='{MODEL}') as session:\n"
            "        print(session.setup_complete is not None)\n"
            "asyncio.run(main())"
        )
        sdk = await asyncio.create_subprocess_exec(
            sys.executable, "-c", talk, env=os.environ | given, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(2 * PATIENCE_S):
            printed, _ = await sdk.communicate()
        assert printed == b"True\n"
    finally:
        server.kill()
        await server.communicate()


async def test_a_ping_is_answered_as_late_as_the_behaviour_has_it() -> None:
    server = GeminiServer(shipped("booking"), replace(HASTY, pong_ms=400))
    async with SimulatedGemini(server) as gemini, session_of(gemini) as session:
        pong = await session._ws.ping()
        inbox = await greeted(session)  # two turns of the wire that are much shorter than the wait
        assert isinstance(pong, asyncio.Future)
        assert not pong.done()
        assert inbox.pcm
        async with asyncio.timeout(PATIENCE_S):
            await pong
