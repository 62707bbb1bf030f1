"""Runs one `Call`: feeds it events with the time, carries out its commands, keeps its one timer.

`feed` is synchronous and may be called from any task: it never waits and never raises. Queues exist
only in front of the writers: to the phone, to the model, to the store.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, assert_never

import structlog

from agent.conversation.commands import (
    AppendLine,
    CancelTool,
    CloseModel,
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
    StopRecording,
)
from agent.conversation.events import ModelEvent
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.gemini.outbox import ModelOutbox
from agent.store.base import StoreAway
from agent.store.promises import Store
from agent.tools.toolbox import NO_TOOLS, Toolbox
from telephony.audio.formats import MODEL_IN_RATE_HZ
from telephony.call.commands import (
    CloseStream,
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, Event, OwnershipLost, StreamEnded, StreamStarted, Tick
from telephony.call.machine import Call
from telephony.call.plain_frame import is_plain_frame
from telephony.call.vault import Vault
from telephony.server.observers import Observers
from telephony.server.ownership import Owned
from telephony.server.store_writer import StoreWriter
from telephony.server.stream import MediaStream
from telephony.server.tool_runner import ToolRunner
from telephony.twilio.messages import Connected, Message, Start

STORE_FLUSH_S = 600.0
"""How long the lines of a call that is over may wait for the store."""

MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000

RECENT = 100
"""How many events are remembered by name: two seconds of caller audio."""

FAILED = EndCall(EndedReason.FAILED, EndedReason.FAILED.final)

log = structlog.get_logger(__name__)


class Model(Protocol):
    """The interface that opens model sessions, such as `agent.gemini.session.GeminiLive`."""

    async def run(
        self, command: OpenModel, outbox: ModelOutbox, feed: Callable[[ModelEvent], None]
    ) -> None:
        """Run one session, from opening to close."""
        ...


@dataclass(slots=True)
class _Session:
    outbox: ModelOutbox
    task: asyncio.Task[None]


class Driver:
    """One call on this worker. Run `run` in a task of its own; it ends with the call.

    `owned` holds the epoch under which this worker owns the call. `begun` is set once streams may
    be attached, `let_go` once all its model sessions are closed.
    """

    def __init__(
        self,
        opened: CallOpened,
        *,
        owned: Owned,
        model: Model,
        writer: StoreWriter,
        store: Store,
        observers: Observers,
        toolbox: Toolbox = NO_TOOLS,
    ) -> None:
        self.call_sid = opened.call_sid
        self.owned = owned
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self._opened = opened
        self._call = Call(opened)
        self._vault = Vault()
        self._model = model
        self._store = store
        self._writer = writer
        self._observers = observers
        self._loop = asyncio.get_running_loop()
        self._opened_at_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0
        self._tasks = asyncio.TaskGroup()
        self._tools = ToolRunner(toolbox, opened.call_sid)
        self._sessions: dict[int, _Session] = {}
        self._streams: dict[str, MediaStream] = {}
        self._recent: deque[tuple[int, type[Event]]] = deque(maxlen=RECENT)
        self._over: asyncio.Future[EndCall] = self._loop.create_future()

    @property
    def waiting_lines(self) -> int:
        """How many transcript lines are not stored yet."""
        return self._writer.waiting_lines

    @property
    def waits_for_store(self) -> bool:
        """Whether the store was away when the call last needed it."""
        return bool(self._writer.away_for)

    @property
    def needs_notice(self) -> bool:
        """Whether the call was opened to be recorded, has had no stream here, and nothing stored
        tells that the caller knows.
        """
        fresh = self._opened.checkpoint is None and not self.owned.epoch
        return fresh and self._opened.persona.recording_days > 0

    @property
    def over(self) -> bool:
        """Whether the call has ended on this worker."""
        return self._over.done()

    @property
    def ended(self) -> EndCall | None:
        """How the call ended; None while it runs, and if it failed."""
        if not self._over.done() or self._over.exception() is not None:
            return None
        return self._over.result()

    @property
    def recent(self) -> list[str]:
        """The last events by time and name, for the log of a failure, without anybody's words."""
        return [f"{now_ms} {kind.__name__}" for now_ms, kind in self._recent]

    def now_ms(self) -> int:
        """Time since the call was opened on this worker, rounded down."""
        return int((self._loop.time() - self._opened_at_s) * 1000)

    async def run(self) -> EndCall:
        """Run the call, from `CallOpened` to the last command and the last stored line.

        Raises:
            Exception: A bug ended the call. Its data is stored, and none of its tasks is left.
        """
        try:
            async with self._tasks:
                writing = self._tasks.create_task(self._writer.run(self.feed), name="store writer")
                self.feed(self._opened)
                self.begun.set()
                await asyncio.wait({self._over})
                await self._close_sessions()
                self.let_go.set()
                await self._close_streams()
                await self._tools.finish()
                await self._flush(writing)
            return self._over.result()
        finally:
            self.begun.set()
            self.let_go.set()
            if self._timer is not None:
                self._timer.cancel()
            if not self._over.done():
                self._over.cancel()

    def attach(self, stream: MediaStream) -> None:
        """Continue the call on a stream with a valid token. Do not call this once it is `over`."""
        task = self._tasks.create_task(self._run_stream(stream), name="stream")
        task.add_done_callback(lambda _: stream.closed.set())
        self._streams[stream.stream_sid] = stream
        self.feed(StreamStarted(stream.stream_sid, self.owned.epoch))

    def feed(self, event: Event) -> None:
        """Step the call with one event, or what it may know of it, and carry out its commands."""
        if not self._over.done() and (admitted := self._vault.admits(event)) is not None:
            self._feed(admitted)

    def _feed(self, event: Event) -> None:
        now_ms = self.now_ms()
        self._recent.append((now_ms, type(event)))
        try:
            self._step(event, now_ms)
        except Exception as bug:  # noqa: BLE001 - in any task, only this call ends
            self._writer.finish(None)  # the call goes on elsewhere
            self._over.set_exception(bug)
            self._observers.show(event, now_ms, [FAILED])

    def answer_taker(self, epoch: int) -> None:
        """Notify the worker that took the call under `epoch` once all sessions here are closed."""
        self._tasks.create_task(self._answer_taker(epoch), name="answer taker")

    def _step(self, event: Event, now_ms: int) -> None:
        if isinstance(event, OwnershipLost):
            self.owned.lost(event.epoch)
        commands = self._call.step(event, now_ms)
        for command in commands:
            self._carry_out(command)
        if self._timer is None or not is_plain_frame(event, commands):
            self._set_timer()
        self._observers.show(event, now_ms, commands)

    def _carry_out(self, command: Command) -> None:
        match command:
            case SendMedia() | SendMark() | SendClear() | CloseStream():
                if (stream := self._streams.get(command.stream_sid)) is not None:
                    stream.put(command)
            case (
                SendCallerAudio()
                | EndCallerAudio()
                | MarkSpeech()
                | SayToModel()
                | SendToolResult()
            ):
                if (session := self._sessions.get(command.session)) is not None:
                    session.outbox.put(command)
            case OpenModel():
                outbox = ModelOutbox()
                task = self._tasks.create_task(self._run_session(command, outbox), name="model")
                self._sessions[command.session] = _Session(outbox, task)
            case CloseModel():
                if (session := self._sessions.get(command.session)) is not None:
                    session.task.cancel()
            case AppendLine() | SaveCheckpoint():
                self._writer.put(command)
            case RunTool():
                typed = self._vault.take(command.name)
                self._tools.begin(command, typed, self._tasks, self.feed)
            case HideCaller() | ShowCaller() | ForgetKeys():
                self._vault.does(command)
            case CancelTool():
                self._tools.cancel(command)
            case StopRecording() | MeasureSpeech() | MeasureReply():
                pass  # observers see it
            case EndCall():
                self._writer.finish(command.reason if command.final else None, command.cost)
                self._over.set_result(command)
            case _:
                assert_never(command)

    # Tasks.

    async def _run_session(self, command: OpenModel, outbox: ModelOutbox) -> None:
        try:
            # Close the old socket first: Gemini refuses a handle whose socket is still open.
            earlier = [s.task for number, s in self._sessions.items() if number != command.session]
            if earlier:
                await asyncio.wait(earlier)
            await self._model.run(command, outbox, self.feed)
        except asyncio.CancelledError as cancelled:
            # Whoever cancels waits for the end and no more. Its frames hold the exception, and it
            # them: the whole call would stay until the garbage collector comes by.
            cancelled.__traceback__ = None
        finally:
            self._sessions.pop(command.session, None)
            if outbox.dropped_bytes:
                log.warning(
                    "caller audio dropped: the model was over 1 s behind",
                    call_sid=self.call_sid,
                    dropped_ms=outbox.dropped_bytes // MODEL_IN_BYTES_PER_MS,
                )

    async def _run_stream(self, stream: MediaStream) -> None:
        try:
            await stream.run(self._hear)
        finally:
            self._streams.pop(stream.stream_sid, None)

    def _hear(self, message: Message | StreamEnded) -> None:
        if not isinstance(message, Connected | Start):  # `stream` made these `Malformed`
            self.feed(message)

    async def _close_sessions(self) -> None:
        tasks = [session.task for session in self._sessions.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _close_streams(self) -> None:
        for stream in list(self._streams.values()):
            stream.put(CloseStream(stream.stream_sid))
            await stream.closed.wait()

    async def _flush(self, writing: asyncio.Task[None]) -> None:
        if self.ended is not None and self.ended.reason is EndedReason.TAKEN_OVER:
            await self._answer_taker(self.owned.lost_to)
        else:
            await asyncio.wait({writing}, timeout=STORE_FLUSH_S)
        writing.cancel()

    async def _answer_taker(self, epoch: int) -> None:
        await self.let_go.wait()
        with suppress(StoreAway):  # the other worker waits 300 ms at most
            await self._store.announce_released(self.call_sid, epoch)

    # The timer.

    def _set_timer(self) -> None:
        deadline_ms = self._call.deadline_ms()
        if deadline_ms is None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return
        # Most deadlines move with every frame: a later one is set when the earlier fires.
        if self._timer is None or deadline_ms < self._timer_ms:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ms = deadline_ms
            at_s = self._opened_at_s + max(deadline_ms, self.now_ms() + 1) / 1000
            self._timer = self._loop.call_at(at_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        deadline_ms = self._call.deadline_ms()
        if deadline_ms is not None and self.now_ms() >= deadline_ms:
            self.feed(Tick())
        else:
            self._set_timer()
