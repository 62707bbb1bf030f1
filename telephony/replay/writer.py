"""Writes the files of one recording while its call runs. The files only grow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from telephony.replay.audio import Medium
from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is to be written next.

    Args:
        files: Where.
        events: Lines of `call.jsonl`.
        golden: Lines of `expect.jsonl`.
        audio: What they name that is new.
        names: What the audio files are to be called from now on, without their endings.
        close: Whether it is the last of this recording.
    """

    files: "Files"
    events: bytes = b""
    golden: bytes = b""
    audio: Mapping[Medium, bytes] = field(default_factory=dict)
    names: Mapping[Medium, str] = field(default_factory=dict)
    close: bool = False

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.events) + len(self.golden) + sum(map(len, self.audio.values()))


class Files:
    """Opened with the first chunk, closed with the last. For one thread.

    Args:
        call_sid: Whose recording it is.
        folder: `<name>.call`; must not be there yet. For nobody but its owner to read.
    """

    def __init__(self, call_sid: str, folder: Path) -> None:
        self.call_sid = call_sid
        self.folder = folder
        self.broken = False
        self._open: dict[str, FileIO] = {}

    def write(self, chunk: Chunk) -> None:
        """Write a chunk, audio first: a line never names what is not there.

        Raises:
            OSError: The disk is full, or the like; call `give_up`.
        """
        if self.broken:
            return
        if not self._open:
            self.folder.mkdir(mode=0o700)
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
        """Write no more; what is there stays, as a prefix."""
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
        waiting = memoryview(data)
        while waiting:
            waiting = waiting[self._open[name].write(waiting) :]
