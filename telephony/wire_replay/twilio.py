"""Twilio's end of a recorded call over real HTTP and WebSockets.

TaskGroup     of `Twilio.play`: callbacks beside the streams
reader        of `_carry`: ends with its stream
"""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from websockets.exceptions import ConnectionClosed

from telephony.call.events import CallStatus, DrainRequested, StreamEnded
from telephony.simulator import twiml
from telephony.simulator.clock import Clock
from telephony.simulator.elements import Request, TwimlError
from telephony.simulator.identity import Identity
from telephony.simulator.report import WebhookAnswered
from telephony.simulator.stream import StreamRefusedError, TwilioSocket, connect
from telephony.simulator.webhooks import WebhookError, Webhooks, signature
from telephony.simulator.workers import Workers
from telephony.wire_replay.call_time import CallTime
from telephony.wire_replay.carried import Carried
from telephony.wire_replay.cues import Cues, StreamCues
from telephony.wire_replay.phone import RecordedStream

_VOICE, _RESUME = "/twilio/voice", "/twilio/resume"
_STATUS, _STREAM_STATUS = "/twilio/status", "/twilio/stream-status"

type Drain = Callable[[float], Awaitable[None]]


class Twilio:
    """Sends what Twilio sent, at the recorded times, with `play`.

    Args:
        cues: The messages and their times.
        identity: The caller, the called number and the account.
        url: The server's own base URL.
        client: The HTTP client; the calling code closes it.
        carried: Collects everything that the server sends.
        time: The call's time.
        begun: Called when a stream has begun.
    """

    def __init__(
        self,
        cues: Cues,
        identity: Identity,
        url: str,
        client: httpx.AsyncClient,
        carried: Carried,
        time: CallTime,
        begun: Callable[[], None],
    ) -> None:
        self._cues, self._id, self._carried = cues, identity, carried
        self._time, self._tell_begun = time, begun
        self._begun = asyncio.Event()
        self._workers = Workers([url])
        self._clock = Clock()
        answers: list[WebhookAnswered] = []
        self._webhooks = Webhooks(
            client, self._workers, identity.auth_token, self._clock, answers.append
        )

    def begin(self) -> None:
        """Start the call's time, because the server has opened the call."""
        self._clock = Clock()

    async def play(self, drain: Drain) -> None:
        """Call the server. Returns when all is sent. `drain` stops it within so many seconds."""
        stream = await self._document(_VOICE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._around(drain), name="callbacks")
            for number, each in enumerate(self._cues.streams):
                await self._until(each.started.at_ms)
                if number:
                    stream = await self._document(_RESUME)
                if stream is None:
                    self._has_begun()
                else:
                    await self._stream(each, stream)

    async def _until(self, at_ms: int) -> None:
        """Wait for a time of the call."""
        if self._time.at(self._clock.now_ms()) < at_ms:
            await self._clock.wait(asyncio.Event(), self._time.clock_at(at_ms))

    def _has_begun(self) -> None:
        """The server has taken a stream, or has not."""
        self._time.begun(self._clock.now_ms())
        self._begun.set()
        self._tell_begun()

    async def _document(self, path: str) -> twiml.Stream | None:
        """Request a document. If it has no stream, note a problem and return None."""
        url = self._id.public_url + path
        status = "ringing" if path == _VOICE else "in-progress"
        try:
            response = await self._webhooks.send(Request(url), self._id.params(status))
            content_type = response.headers.get("content-type", "")
            verbs = twiml.parse(response.content, content_type, url)
        except (WebhookError, TwimlError) as error:
            self._note(f"expected a document from {path}, got {error}")
            return None
        for verb in verbs:
            if isinstance(verb, twiml.Connect):
                return verb.stream
        self._note(f"expected a stream from {path}, got {verbs}")
        return None

    async def _stream(self, cues: StreamCues, noun: twiml.Stream) -> None:
        """Run one stream until either end closes it."""
        headers = {"x-twilio-signature": signature(self._id.auth_token, noun.url, {})}
        try:
            socket, _ = await connect(noun.url, self._workers, headers)
        except StreamRefusedError as refused:
            self._note(f"expected a stream to be taken, got {refused}")
            self._has_begun()
            return
        echoes, clears = self._cues.echoes, self._cues.clears
        line = RecordedStream(cues, echoes, clears, self._carried.phone)
        try:
            for frame in line.open(self._id.call_sid, self._id.account_sid, noun.parameters):
                await socket.send(frame)
            self._has_begun()
            await _carry(socket, line, self._clock, self._time)
            if line.over and not line.broken:
                await socket.close_without_code()
        finally:
            socket.break_off()
            self._carried.problems += line.problems

    async def _around(self, drain: Drain) -> None:
        """Send the callbacks beside the streams."""
        for at_ms, event, _ in self._cues.around:
            while self._time.waits(at_ms):
                self._begun.clear()
                await self._begun.wait()
            await self._until(at_ms)
            match event:
                case DrainRequested():
                    await drain(event.budget_ms / 1000)
                case CallStatus():
                    await self._tell(_STATUS, self._id.params(event.status))
                case StreamEnded():
                    noun = twiml.Stream("")
                    sid, what = event.stream_sid, "stream-stopped"
                    await self._tell(_STREAM_STATUS, self._id.stream_params(noun, sid, what))

    async def _tell(self, path: str, form: dict[str, str]) -> None:
        try:
            await self._webhooks.send(Request(self._id.public_url + path), form)
        except WebhookError as error:
            self._note(f"expected an answer from {path}, got {error}")

    def _note(self, problem: str) -> None:
        self._carried.problems.append(f"on the wire: {problem}")


async def _carry(socket: TwilioSocket, line: RecordedStream, clock: Clock, time: CallTime) -> None:
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(_read(socket, line, clock, time, woken))
        while not (line.over or reader.done()):
            try:
                for frame in line.poll(time.at(clock.now_ms())):
                    await socket.send(frame)
            except ConnectionClosed:
                break
            if not line.over:
                await clock.wait(woken, time.clock_at(line.deadline_ms()))
        reader.cancel()


async def _read(
    socket: TwilioSocket, line: RecordedStream, clock: Clock, time: CallTime, woken: asyncio.Event
) -> None:
    try:
        async for frame in socket:
            line.receive(frame, time.at(clock.now_ms()))
            woken.set()
    except ConnectionClosed:
        pass
    finally:
        woken.set()
