"""Writes the files of one recording while its call runs. The files only grow."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from telephony.replay import keeping
from telephony.replay.audio import Medium
from telephony.replay.keeping import Kept
from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE
from telephony.replay.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Chunk:
    """The data to write next.

    Args:
        files: The files to write to.
        events: Lines of `call.jsonl`.
        golden: Lines of `expect.jsonl`.
        audio: The new audio that these lines name.
        names: New names for the audio files, without their endings.
        close: Whether this is the last chunk of the recording.
        refused: Whether there may be no recording of this call, whatever was written before.
        in_vain: Whether these files, and no others of the call, are to be deleted.
    """

    files: "Files"
    events: bytes = b""
    golden: bytes = b""
    audio: Mapping[Medium, bytes] = field(default_factory=dict)
    names: Mapping[Medium, str] = field(default_factory=dict)
    close: bool = False
    refused: bool = False
    in_vain: bool = False

    @property
    def size(self) -> int:
        """The size of the chunk in bytes."""
        return len(self.events) + len(self.golden) + sum(map(len, self.audio.values()))


class Files:
    """The files of one recording, opened with the first chunk and closed with the last.

    Only one thread may use them.

    Args:
        call_sid: The call of the recording.
        folder: `<name>.call`, which must not exist yet. Only its owner can read it.
        kept: How long it may be kept; noted beside it, and never encrypted.
        key: RECORDING_KEY, 32 bytes; None to write everything as it is.

    Attributes:
        broken: Whether nothing can be written any more.
        deleted: How many recordings of the call were deleted, because the caller refused.
    """

    def __init__(
        self,
        call_sid: str,
        folder: Path,
        kept: Kept | None = None,
        key: bytes | None = None,
    ) -> None:
        self.call_sid = call_sid
        self.folder = folder
        self.broken = False
        self.deleted = 0
        self._kept = kept
        self._key = key
        self._open: dict[str, FileIO] = {}
        self._sealers: dict[str, Sealer] = {}

    def write(self, chunk: Chunk) -> None:
        """Write a chunk. Audio comes first, so that no line names missing audio.

        Raises:
            OSError: The disk is full, or the like. Then call `give_up`.
        """
        if chunk.refused:
            self.give_up()
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.deleted = keeping.refuse(self.folder.parent, self.call_sid)
        if chunk.in_vain:
            self.give_up()
            with suppress(FileNotFoundError):  # nothing was written, or it was purged
                shutil.rmtree(self.folder)
        if self.broken:
            return
        if not self._open:
            if keeping.is_refused(self.folder.parent, self.call_sid):
                self.broken = True
                return
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700)
            if self._kept is not None:
                keeping.note(self.folder, self._kept)
            self._append(GOLDEN_FILE, b"")
        for medium, data in chunk.audio.items():
            if data:
                self._append(f"{medium.label}{medium.suffix}", data)
        self._append(EVENTS_FILE, chunk.events)
        self._append(GOLDEN_FILE, chunk.golden)
        for medium, name in chunk.names.items():
            own = self.folder / f"{medium.label}{medium.suffix}"
            own.rename(own.with_name(f"{name}{medium.suffix}"))
        if chunk.close:
            self.close()

    def give_up(self) -> None:
        """Write nothing more. The files stay, as the beginning of a recording."""
        self.broken = True
        self.close()

    def close(self) -> None:
        """Close every file."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _append(self, name: str, data: bytes) -> None:
        if name not in self._open:
            self._open[name] = (self.folder / name).open("ab", buffering=0)
            if self._key is not None:
                self._sealers[name] = Sealer(self._key, name)
                _write_all(self._open[name], self._sealers[name].header)
        if self._key is not None:
            data = self._sealers[name].seal(data)
        _write_all(self._open[name], data)


def _write_all(file: FileIO, data: bytes) -> None:
    waiting = memoryview(data)
    while waiting:
        waiting = waiting[file.write(waiting) :]
