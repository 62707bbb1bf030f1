"""Records calls while they run: an observer of the driver, and one thread that writes.

    driver ─▶ Recorder: steps become lines (µs) ─▶ bounded queue ─▶ writer thread ─▶ files

Files only grow while the call runs, and a line is written after the audio that it names. So if a
worker dies, it leaves a shorter recording that can be replayed. A call never waits for its
recording and never ends because of it. If the disk is full or too slow, or the recording too large,
only the recording ends early; that is logged and counted.

A caller who refuses is not recorded from that step on, and what there is of the call is deleted.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Self

import msgspec
import structlog

from agent.conversation.commands import StopRecording
from agent.conversation.consent import REFUSED, is_recorded
from telephony.call.commands import Command, EndCall
from telephony.call.events import CallOpened, Event, StreamStarted
from telephony.errors import SettingsError
from telephony.replay.command_lines import CommandLines
from telephony.replay.event_lines import EventLines
from telephony.replay.keeping import DAY_MS, Kept, name_of
from telephony.replay.recording import SUFFIX, VERSION, Header
from telephony.replay.selection import ALL, Selection
from telephony.replay.writer import Chunk, Files

RECORDING_LIMIT_BYTES = 256 << 20
"""The largest recording: an hour and a half of the model's voice."""

WAITING_LIMIT_BYTES = 32 << 20
"""The most data that may wait to be written: ten minutes of the model's voice."""

WRITE_EVERY_MS = 500
"""How often files are written. A worker that dies loses so much; a write costs ten steps' time."""

KNOWN_LIMIT = 1_000
"""How many calls' numbers are remembered until the calls are opened."""

STOP_LIMIT_S = 10.0
"""How long a stopping worker waits for the disk."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Recording:
    call_sid: str
    files: Files
    of_owner: bool = False
    """Whether it is there for the agent's owner alone, and not to look for faults."""
    has_stream: bool = False
    events: EventLines = field(default_factory=EventLines)
    commands: CommandLines = field(default_factory=CommandLines)
    steps: int = 0
    written_ms: int = 0
    size: int = 0


class Recorder:
    """An observer that records calls, while its context is entered.

    Args:
        folder: The folder for recordings; it is made with the first one.
        selection: Decides which calls are recorded, besides those whose agent has it so.
        dropped: Called with the reason when a recording ends before its call.
        key: RECORDING_KEY, 32 bytes; None to write recordings as they are.
    """

    def __init__(
        self,
        folder: Path,
        selection: Selection = ALL,
        dropped: Callable[[str], None] = lambda _: None,
        key: bytes | None = None,
    ) -> None:
        self.folder = folder
        self._selection = selection
        self._dropped = dropped
        self._key = key
        self._app = version("offhook")
        self._numbers: OrderedDict[str, tuple[tuple[str, ...], tuple[str, ...]]] = OrderedDict()
        self._recordings: dict[str, _Recording] = {}
        self._queue: SimpleQueue[Chunk | None] = SimpleQueue()
        self._queued_bytes = 0  # only the calls' thread counts this
        self._written_bytes = 0  # only the writer's thread counts this
        self._writer = Thread(target=self._write, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write all waiting data, and close every file. Recordings of running calls are cut off."""
        for recording in self._recordings.values():
            self._queue.put(_chunk(recording, whole=False, close=True))
        self._recordings.clear()
        self._queue.put(None)
        self._writer.join(STOP_LIMIT_S)

    def make_folder(self) -> None:
        """Make the folder now.

        Raises:
            SettingsError: It cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"RECORD_DIR: expected a folder that can be written, got {str(self.folder)!r}: "
                f"{error.strerror}"
            ) from None

    def note_numbers(self, call_sid: str, *numbers: str, callers: Sequence[str] = ()) -> None:
        """Note the numbers of a call that may be opened soon, and hashes of who calls."""
        self._numbers[call_sid] = numbers, tuple(callers)
        if len(self._numbers) > KNOWN_LIMIT:
            self._numbers.popitem(last=False)

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Record one step of one call."""
        try:
            if isinstance(event, CallOpened):
                self._open(event)
            elif any(isinstance(command, StopRecording) for command in commands):
                self._refuse(call_sid)
            if (recording := self._recordings.get(call_sid)) is not None:
                self._step(recording, event, now_ms, commands)
        except Exception as bug:  # noqa: BLE001 - only the recording ends, the call goes on
            self._drop(call_sid, "bug", repr(bug))

    def _open(self, opened: CallOpened) -> None:
        numbers, callers = self._numbers.pop(opened.call_sid, ((), ()))
        if opened.checkpoint is not None and opened.checkpoint.recorded == REFUSED:
            self._refuse(opened.call_sid)  # perhaps to another worker, with a folder of its own
            return
        consented = is_recorded(opened.persona, opened.checkpoint)
        selected = self._selection.wants(opened.call_sid, numbers)
        if not (consented or selected):
            return
        day = datetime.fromtimestamp(opened.wall_time_ms / 1000, UTC).date()
        name = f"{name_of(opened.call_sid)}.{opened.wall_time_ms}{SUFFIX}"
        until_ms = opened.wall_time_ms + opened.persona.recording_days * DAY_MS if consented else 0
        kept = Kept(opened.call_sid, until_ms, callers) if consented or callers else None
        files = Files(opened.call_sid, self.folder / name, kept, self._key)
        header = Header(VERSION, app=self._app, recorded=str(day))
        if (earlier := self._recordings.get(opened.call_sid)) is not None:
            self._queue.put(Chunk(earlier.files, close=True, in_vain=_is_in_vain(earlier)))
        recording = _Recording(opened.call_sid, files, of_owner=not selected)
        self._recordings[opened.call_sid] = recording
        self._put(recording, Chunk(files, events=msgspec.json.encode(header) + b"\n"))

    def _refuse(self, call_sid: str) -> None:
        """Record nothing more of a call, and delete also what was not recorded to its end."""
        recording = self._recordings.pop(call_sid, None)
        files = (
            Files(call_sid, self.folder / name_of(call_sid))
            if recording is None
            else recording.files
        )
        self._queue.put(Chunk(files, refused=True))

    def _step(
        self, recording: _Recording, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        recording.events.add(event, now_ms)
        recording.commands.add(recording.steps, now_ms, commands)
        recording.steps += 1
        over = bool(commands) and isinstance(commands[-1], EndCall)
        if over:
            recording.events.end()
            recording.commands.end()
        recording.has_stream = recording.has_stream or isinstance(event, StreamStarted)
        if over and _is_in_vain(recording):
            self._recordings.pop(recording.call_sid, None)
            self._queue.put(Chunk(recording.files, in_vain=True))
            return
        first = recording.steps == 1  # a recording cannot be replayed without it
        if first or over or now_ms - recording.written_ms >= WRITE_EVERY_MS:
            recording.written_ms = now_ms
            self._put(recording, _chunk(recording, whole=over, close=over))
        if over:
            self._recordings.pop(recording.call_sid, None)

    def _put(self, recording: _Recording, chunk: Chunk) -> None:
        recording.size += chunk.size
        waiting = self._queued_bytes - self._written_bytes + chunk.size
        if recording.files.broken:
            self._recordings.pop(recording.call_sid, None)
        elif recording.size > RECORDING_LIMIT_BYTES:
            self._drop(recording.call_sid, "too large", f"{recording.size} bytes")
        elif waiting > WAITING_LIMIT_BYTES:
            self._drop(recording.call_sid, "disk too slow", f"{waiting} bytes wait")
        else:
            self._queued_bytes += chunk.size
            self._queue.put(chunk)

    def _drop(self, call_sid: str, why: str, what: str) -> None:
        if (recording := self._recordings.pop(call_sid, None)) is not None:
            self._queue.put(Chunk(recording.files, close=True))
        self._tell(call_sid, why, what)

    def _tell(self, call_sid: str, why: str, what: str) -> None:
        log.warning("recording ended before its call", call_sid=call_sid, why=why, what=what)
        self._dropped(why)

    def _tell_refused(self, files: Files) -> None:
        log.info(
            "recording refused by the caller: stopped, and deleted",
            call_sid=files.call_sid,
            recordings=files.deleted,
        )

    def _write(self) -> None:
        while (chunk := self._queue.get()) is not None:
            try:
                chunk.files.write(chunk)
                if chunk.refused:
                    self._tell_refused(chunk.files)
            except OSError as error:
                chunk.files.give_up()
                self._tell(chunk.files.call_sid, "not written", str(error))
            self._written_bytes += chunk.size


def _is_in_vain(recording: _Recording) -> bool:
    """Whether nobody was heard in it: the call had its streams elsewhere, or its caller was not
    told that they are recorded, so that it goes on without.
    """
    return recording.of_owner and not recording.has_stream


def _chunk(recording: _Recording, *, whole: bool, close: bool) -> Chunk:
    """The data that has become complete since the last chunk."""
    tracks = recording.events.tracks.values()
    return Chunk(
        recording.files,
        events=recording.events.take(),
        golden=b"".join(recording.commands.take()),
        audio={track.medium: track.take() for track in tracks},
        names={track.medium: track.content_name for track in tracks if whole and track.kept},
        close=close,
    )
