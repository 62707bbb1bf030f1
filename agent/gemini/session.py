"""One Gemini Live session, from connecting to its end.

    connect ─ setup ─ setupComplete ─ history ─ SessionReady ─┬─ sender: outbox → server
                                                              └─ receiver: server → events
    every failure before SessionReady: SessionRefused         after it: SessionLost

Source: google-genai 3.4.0, `live.py`; what its calls raise was measured.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import certifi
import httpx
from google import genai
from google.genai import types
from google.genai.errors import APIError
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from agent.conversation.commands import (
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
)
from agent.conversation.events import (
    ModelEvent,
    SessionLost,
    SessionReady,
    SessionRefused,
    UnknownModelMessage,
)
from agent.conversation.persona import DEFAULT_PERSONA, as_spoken
from agent.conversation.transcript import Line
from agent.gemini.audio_messages import CALLER_AUDIO
from agent.gemini.audio_wire import AudioWire
from agent.gemini.author import GeminiAuthor
from agent.gemini.connect_config import connect_config
from agent.gemini.connection import UNREADABLE, Connection, connected
from agent.gemini.messages import Messages
from agent.gemini.outbox import ModelOutbox
from agent.gemini.quirks import quirks_of
from agent.gemini.settings import GeminiSettings
from agent.gemini.wire import Wire

MAX_UNREADABLE_IN_A_ROW = 100
"""A few messages of a new kind are ignored; after so many in a row the session counts as lost."""

MAX_REASON_CHARS = 200

PING_INTERVAL_S: float | None = None
"""No pings: Gemini's pongs have come 8 to 30 s late, and the WebSocket library closes the
connection if one is 20 s late."""

_BROKEN = (APIError, WebSocketException, OSError)
"""The SDK raises these when a connection cannot be made, or ends. OSError includes timeouts, name
look-ups and TLS."""

# At DEBUG the WebSocket library logs the handshake's headers, the API key among them.
_websocket_log = logging.getLogger(f"{__name__}.websocket")
_websocket_log.setLevel(logging.WARNING)

type Feed = Callable[[ModelEvent], None]


class GeminiLive:
    """Opens Gemini Live sessions. Make one per process: its SDK client takes 40 ms to build.

    Call `warm_up` before the first call, `run` for each session, `aclose` at the end.

    Raises:
        ValueError: `settings.ca_file` cannot be read.
    """

    def __init__(self, settings: GeminiSettings) -> None:
        self._settings = settings
        trust = _trust(settings.ca_file)
        # Otherwise the SDK would ask by whichever HTTP library is installed
        self._http = httpx.AsyncClient(verify=trust)
        self._client = genai.Client(
            enterprise=False,
            api_key=settings.api_key,
            http_options=types.HttpOptions(
                base_url=settings.origin,
                api_version=settings.api_version,
                httpx_async_client=self._http,
                client_args={"verify": trust},
                async_client_args={
                    "verify": trust,
                    # The SDK passes the following to websockets.connect.
                    "ssl": trust,
                    "create_connection": Wire if settings.hot_path == "sdk" else AudioWire,
                    "compression": None,  # deflate triples the cost of a send
                    "ping_interval": PING_INTERVAL_S,
                    "open_timeout": None,  # our own timeout covers the setup too
                    "close_timeout": settings.close_timeout_ms / 1000,
                    "max_size": settings.max_message_bytes,
                    "max_queue": None,  # otherwise unread messages would delay the close
                    "logger": _websocket_log,
                },
            ),
        )

    def warm_up(self) -> None:
        """Build the SDK's models now; otherwise the first call of the process waits for that."""
        model = self._settings.model
        config = connect_config(DEFAULT_PERSONA, "handle", quirks_of(model))
        setup = types.LiveConnectParameters(model=model, config=config)
        setup.model_dump(exclude_none=True)
        config.model_dump()
        blob = types.Blob(data=bytes(2), mime_type=CALLER_AUDIO)
        types.LiveSendRealtimeInputParameters(audio=blob)
        types.LiveServerMessage(
            setup_complete=types.LiveServerSetupComplete(),
            server_content=types.LiveServerContent(
                model_turn=types.Content(parts=[types.Part(inline_data=blob)])
            ),
        ).model_dump()

    def author(self, model: str) -> GeminiAuthor:
        """A text model by the same client; not to be used after `aclose`."""
        return GeminiAuthor(self._client, model, self._safe)

    async def aclose(self) -> None:
        """Release the SDK client; no session may be running."""
        await self._client.aio.aclose()
        await self._http.aclose()
        self._client.close()

    async def run(self, command: OpenModel, outbox: ModelOutbox, feed: Feed) -> None:
        """Run one session. Returns when it is over and its socket is closed.

        Args:
            command: The session's number, persona and handle.
            outbox: The queue of messages to it; sent from `SessionReady` on.
            feed: Called with each event, at once and in order: `SessionReady` first and
                `SessionLost` last, or only `SessionRefused`. Never called after a cancellation.

        Raises:
            asyncio.CancelledError: Cancelling is the only way to end a session from this side.
                The socket is closed first, within `close_timeout_ms`.
            Exception: `feed` raised it, or it is a bug of this room; after `SessionReady`, it is
                inside an ExceptionGroup.
        """
        feed = _until_cancelled(feed)
        feed(await self._live(command, outbox, feed))

    async def _live(
        self, command: OpenModel, outbox: ModelOutbox, feed: Feed
    ) -> SessionRefused | SessionLost:
        number = command.session
        model = self._settings.model
        if command.fallback:
            model = self._settings.fallback_model or model
        config = connect_config(
            command.persona, command.handle, quirks_of(model), command.wall_time_ms
        )
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._settings.connect_timeout_ms / 1000):
                    connection = await stack.enter_async_context(
                        connected(
                            self._client.aio.live.connect(model=model, config=config),
                            self._settings.close_timeout_ms,
                        )
                    )
                    if not connection.set_up:
                        return SessionRefused(number, 0, "the first message was not setupComplete")
                    if turns := _turns(command.history, command.results):
                        await connection.send_history(turns)
            except (*_BROKEN, *UNREADABLE) as error:
                code, reason, retry_after_ms = self._failure(error)
                return SessionRefused(number, code, reason, retry_after_ms, _unreachable(error))
            outbox.send_audio_now = connection.send_audio_now
            feed(SessionReady(number))
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(_send(connection, outbox))
                lost = await self._receive(connection, number, feed)
                sender.cancel()
            return lost

    async def _receive(self, connection: Connection, number: int, feed: Feed) -> SessionLost:
        unreadable = 0
        messages = Messages(number)
        while unreadable < MAX_UNREADABLE_IN_A_ROW:
            try:
                message = await connection.receive()
            except _BROKEN as error:
                code, reason, _ = self._failure(error)
                return SessionLost(number, code or 1006, reason)
            except UNREADABLE as error:
                unreadable += 1
                feed(UnknownModelMessage(number, f"unreadable ({type(error).__name__})"))
            else:
                unreadable = 0
                for event in messages.events(message):
                    feed(event)
        return SessionLost(number, 1006, f"{unreadable} unreadable messages in a row")

    def _failure(self, error: Exception) -> tuple[int, str, int | None]:
        """Like `failure`, with a reason that is safe to log."""
        code, reason, retry_after_ms = failure(error)
        return code, self._safe(reason), retry_after_ms

    def _safe(self, reason: str) -> str:
        reason = " ".join(reason.replace(self._settings.api_key, "[api key]").split())
        return reason[:MAX_REASON_CHARS]


def failure(error: Exception) -> tuple[int, str, int | None]:
    """The reason why a connection could not be made, or why it ended.

    Returns:
        The close code or HTTP status that was received, or 0; the reason; and for how many ms
        the other side asked us to wait, or None. The reason is raw and may hold secrets.
    """
    match error:
        case APIError():
            # Without a close frame the SDK itself sets 1006.
            return (
                0 if error.code == 1006 else error.code,
                str(error.message or error.details),
                None,
            )
        case InvalidStatus(response=response):
            body = bytes(response.body or b"").decode(errors="replace")
            reason = f"HTTP {response.status_code} {response.reason_phrase} {body}"
            return response.status_code, reason, _retry_after_ms(response.headers)
        case ConnectionClosed(rcvd=received) if received is not None:
            return received.code, received.reason, None
        case TimeoutError():
            return 0, "timed out", None
        case WebSocketException() | OSError():
            return 0, f"{type(error).__name__}: {error}", None
        case _:  # its text may quote the message, and with it the caller's words
            return 0, f"unreadable ({type(error).__name__})", None


def _unreachable(error: Exception) -> bool:
    # A server that goes down may break off TLS too; that is temporary.
    passing = isinstance(error, ssl.SSLEOFError)
    return isinstance(error, socket.gaierror | ssl.SSLError) and not passing


async def _send(connection: Connection, outbox: ModelOutbox) -> None:
    with suppress(ConnectionClosed):  # the receiver reads what is left, then reports the end
        while True:
            match await outbox.get():
                case SendCallerAudio(pcm=pcm):
                    await connection.send_audio(pcm)
                case EndCallerAudio():
                    await connection.end_audio()
                case MarkSpeech(begins=begins):
                    await connection.mark_speech(begins=begins)
                case SayToModel(text=text):
                    await connection.send_text(text)
                case SendToolResult() as result:
                    await connection.send_result(result)
                case unreachable:
                    assert_never(unreachable)


def _turns(history: Iterable[Line], results: str) -> list[types.Content]:
    """The lines of the conversation, and what came of tool calls, in the SDK's form."""
    turns = [
        types.Content(
            role="user" if line.role == "caller" else "model",
            parts=[types.Part(text=as_spoken(line.heard))],
        )
        for line in history
        if line.heard
    ]
    if results:
        turns.append(types.Content(role="user", parts=[types.Part(text=results)]))
    return turns


def _until_cancelled(feed: Feed) -> Feed:
    """`feed`, but without effect once the current task has been cancelled."""
    task = asyncio.current_task()

    def feed_unless_cancelled(event: ModelEvent) -> None:
        if task is None or not task.cancelling():
            feed(event)

    return feed_unless_cancelled


def _retry_after_ms(headers: Headers) -> int | None:
    """The Retry-After header if it is in seconds; a date would need a clock."""
    seconds = (headers.get_all("Retry-After") or [""])[0].strip()
    return int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() else None


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or certifi.where())
    except OSError as error:
        raise ValueError(
            f"ca_file: expected a PEM file of certificates, got {ca_file!r} ({error})"
        ) from error
