"""One open connection to Gemini Live, as the SDK holds it.

All messages between a session and the SDK pass through here, in both directions. The SDK writes and
reads them, except audio, which alone is frequent: on an `AudioWire`, caller audio is written here,
and so is a message read that is nothing but reply audio. The bytes are the same.

Source: google-genai 3.4.0, `live.py`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from google.genai import types
from google.genai.live import AsyncSession

from agent.conversation.commands import SendToolResult
from agent.gemini.audio_messages import CALLER_AUDIO, caller_audio, reply_audio
from agent.gemini.audio_wire import AudioWire
from agent.gemini.wire import secured

UNREADABLE = (TypeError, ValueError, AttributeError)
"""What the SDK raises, after taking it off the socket, for a message that it cannot read: with
only unknown keys, not JSON, not an object, a known field of the wrong type."""


@asynccontextmanager
async def connected(
    connecting: AbstractAsyncContextManager[AsyncSession], close_timeout_ms: int
) -> AsyncIterator["Connection"]:
    """Connect as `async with connecting` does; the connection is closed when the block ends.

    Told to end while TLS is being set up, it first lets that be done, for `close_timeout_ms` at
    most: uvloop 0.23 closes the TCP connection under the handshake of a `create_connection` that is
    cancelled, and logs what the handshake finds then as a fatal error.
    """
    async with AsyncExitStack() as stack:
        attempt = _Attempt(connecting)
        try:
            await attempt.finish(close_timeout_ms)
        finally:
            if attempt.session is not None:
                stack.push_async_exit(connecting)
                connection = Connection(attempt.session)
                stack.push_async_callback(connection.close, close_timeout_ms)
        yield connection


class _Attempt:
    """One attempt to connect; `session` is there once it has succeeded."""

    def __init__(self, connecting: AbstractAsyncContextManager[AsyncSession]) -> None:
        self.session: AsyncSession | None = None
        self._connecting = connecting
        self._secured = asyncio.Event()
        self._error: Exception | None = None

    async def finish(self, patience_ms: int) -> None:
        """Raises what connecting raises."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._connect(), name="connect")
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience_ms / 1000):
                        await self._secured.wait()
                raise
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its frames would hold it, and it them

    async def _connect(self) -> None:
        secured.set(self._secured)
        try:
            self.session = await self._connecting.__aenter__()
        except Exception as error:  # noqa: BLE001 - raised again by `finish`, in no group
            self._error = error
        finally:
            self._secured.set()


class Connection:
    """A connection that the SDK has set up. Its owner must call `close` in every case.

    One task may send while another receives; every send raises what the SDK raises once the
    connection is gone (`websockets.exceptions.ConnectionClosed`).
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._wire = wire if isinstance(wire := session._ws, AudioWire) else None  # noqa: SLF001 - the SDK's name
        self._messages: AsyncIterator[types.LiveServerMessage] = session.receive()

    @property
    def set_up(self) -> bool:
        """Whether the first message was setupComplete. The SDK accepts any message in its place."""
        return self._session.setup_complete is not None

    async def send_history(self, turns: Sequence[types.Content]) -> None:
        """Send earlier lines of the conversation, which the model does not answer."""
        await self._session.send_client_content(turns=list(turns), turn_complete=False)

    @property
    def send_audio_now(self) -> Callable[[bytes], bool] | None:
        """Like `send_audio`, but returns False, and sends nothing, if it would have to wait; None
        if audio messages are the SDK's. What else is being sent must be sent first.
        """
        wire = self._wire
        return None if wire is None else lambda pcm: wire.send_now(caller_audio(pcm))

    async def send_audio(self, pcm: bytes) -> None:
        """Send caller audio: PCM, int16 little-endian, mono, 16 kHz, whole samples."""
        if self._wire is not None:
            await self._wire.send_text(caller_audio(pcm))
            return
        blob = types.Blob(data=pcm, mime_type=CALLER_AUDIO)
        await self._session.send_realtime_input(audio=blob)

    async def end_audio(self) -> None:
        """Tell the model that no more caller audio comes for now."""
        await self._session.send_realtime_input(audio_stream_end=True)

    async def mark_speech(self, *, begins: bool) -> None:
        """Tell a model that does not detect it that the caller begins to speak, or has finished."""
        if begins:
            await self._session.send_realtime_input(activity_start=types.ActivityStart())
        else:
            await self._session.send_realtime_input(activity_end=types.ActivityEnd())

    async def send_text(self, text: str) -> None:
        """Send text as a turn of the user, which the model answers."""
        await self._session.send_realtime_input(text=text)

    async def send_result(self, result: SendToolResult) -> None:
        """Send the result of a tool call."""
        response = types.FunctionResponse(
            id=result.id,
            name=result.name,
            response=json.loads(result.result),
            scheduling=types.FunctionResponseScheduling(result.scheduling),
            will_continue=True if result.goes_on else None,
        )
        await self._session.send_tool_response(function_responses=[response])

    async def receive(self) -> types.LiveServerMessage | bytes:
        """Receive the next message. If it is cancelled, a message may be lost.

        Returns:
            The message; or of one that is nothing but reply audio, perhaps only that audio: int16
            little-endian, mono, 24 kHz; a sample may be cut in two.

        Raises:
            UNREADABLE: The SDK cannot read this message; the next one can be received.
            APIError, WebSocketException, OSError: The connection is over.
        """
        if self._wire is not None:
            message = await self._wire.peek()
            if message is not None and (pcm := reply_audio(message)) is not None:
                self._wire.take()
                return pcm
        while True:
            try:
                return await anext(self._messages)
            except StopAsyncIteration:  # the SDK's iterator ends with each turn
                self._messages = self._session.receive()
            except UNREADABLE:
                self._messages = self._session.receive()  # an iterator that raised is used up
                raise

    async def close(self, timeout_ms: int) -> None:
        """Close with 1000. If the other side does not answer in `timeout_ms`, cut it off."""
        # Closing would wait for ever for a peer that does not read.
        asyncio.get_running_loop().call_later(
            timeout_ms / 1000,
            self._session._ws.transport.abort,  # noqa: SLF001 - the SDK has no way to abort
        )
        await self._session.close()  # leaving its context with an exception closes with 1011
