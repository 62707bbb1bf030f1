"""The bridge that anybody would write in an afternoon, to measure offhook against.

    GEMINI_API_KEY=… PUBLIC_URL=… PORT=… python tests/benchmarks/calls/reference.py

One file, and honest: uvloop, one SDK client for all calls, no pings, no compression, `ratecv` with
its state kept. Each of the caller's frames is a message to Gemini, each piece of Gemini's audio one
to Twilio, which plays what it is sent. It has no signature checks, store, marks or recovery.
"""

import asyncio
import base64
import json
import os
import ssl
from contextlib import suppress

import audioop
import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from google import genai
from google.genai import types
from google.genai.live import AsyncSession

CONFIG = types.LiveConnectConfig(
    response_modalities=[types.Modality.AUDIO],
    system_instruction="You answer the telephone.",
    input_audio_transcription=types.AudioTranscriptionConfig(),
    output_audio_transcription=types.AudioTranscriptionConfig(),
)

app = FastAPI()
trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
client = genai.Client(
    api_key=os.environ["GEMINI_API_KEY"],
    http_options=types.HttpOptions(
        base_url=os.environ.get("GOOGLE_GEMINI_BASE_URL"),
        async_client_args={"ssl": trust, "compression": None, "ping_interval": None},
    ),
)


@app.post("/twilio/voice")
async def voice() -> Response:
    """A call comes in."""
    url = os.environ["PUBLIC_URL"].replace("https://", "wss://")
    twiml = f'<Response><Connect><Stream url="{url}/twilio/media"/></Connect></Response>'
    return Response(twiml, media_type="text/xml")


@app.post("/twilio/status")
async def status() -> Response:
    """The call's status changed."""
    return Response(status_code=204)


@app.websocket("/twilio/media")
async def media(socket: WebSocket) -> None:
    """One call."""
    await socket.accept()
    while (message := json.loads(await socket.receive_text()))["event"] != "start":
        pass
    stream_sid = message["start"]["streamSid"]
    async with (
        client.aio.live.connect(model="gemini-3.8-live", config=CONFIG) as session,
        asyncio.TaskGroup() as tasks,
    ):
        await session.send_realtime_input(text="Greet the caller.")
        speaking = tasks.create_task(to_caller(session, socket, stream_sid))
        with suppress(WebSocketDisconnect):
            await to_model(socket, session)
        speaking.cancel()


async def to_model(socket: WebSocket, session: AsyncSession) -> None:
    """The caller's audio, until the stream ends."""
    state = None
    while (message := json.loads(await socket.receive_text()))["event"] != "stop":
        if message["event"] == "media":
            pcm = audioop.ulaw2lin(base64.b64decode(message["media"]["payload"]), 2)
            pcm, state = audioop.ratecv(pcm, 2, 1, 8000, 16000, state)
            await session.send_realtime_input(
                audio=types.Blob(data=pcm, mime_type="audio/pcm;rate=16000")
            )


async def to_caller(session: AsyncSession, socket: WebSocket, stream_sid: str) -> None:
    """The model's audio, and its interruptions."""
    state = None
    while True:
        async for message in session.receive():
            content = message.server_content
            if content is None:
                continue
            if content.interrupted:
                await socket.send_text(json.dumps({"event": "clear", "streamSid": stream_sid}))
            for part in (content.model_turn and content.model_turn.parts) or []:
                if part.inline_data is None or not part.inline_data.data:
                    continue
                pcm, state = audioop.ratecv(part.inline_data.data, 2, 1, 24000, 8000, state)
                payload = base64.b64encode(audioop.lin2ulaw(pcm, 2)).decode()
                media = {"event": "media", "streamSid": stream_sid, "media": {"payload": payload}}
                await socket.send_text(json.dumps(media))


def config(port: int) -> uvicorn.Config:
    """How it is served."""
    return uvicorn.Config(
        app,
        port=port,
        loop="uvloop",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="warning",
    )


if __name__ == "__main__":
    uvicorn.Server(config(int(os.environ["PORT"]))).run()
