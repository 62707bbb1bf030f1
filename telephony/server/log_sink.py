"""A thread that writes log lines, so that no call waits for the log's reader.

A pipe that nobody reads, or a full disk, blocks its writer, and the worker's event loop must not
block. If the queue is full, or a line cannot be written, the line is dropped and counted.

    resource   acquired    released
    thread     `LogSink`   `close`, or with the process: it is a daemon
"""

import os
import queue
import threading

WAITING_LINES = 4_096
"""How many lines can wait, about a megabyte. A worker with 20 calls writes ten lines a second."""

LAST_LINES_S = 1.0
"""How long a process that ends waits until its log is written."""


class LogSink:
    """A file for loggers. It accepts whole lines from any thread, and never waits.

    Args:
        fd: The file descriptor to write to. It is not closed.
        room: How many lines may wait.
    """

    def __init__(self, fd: int, room: int = WAITING_LINES) -> None:
        self._fd = fd
        self._lines: queue.Queue[bytes | None] = queue.Queue(room)
        self._not_taken = 0
        self._not_written = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines were dropped."""
        return self._not_taken + self._not_written

    def write(self, text: str) -> int:
        """Queue a line with its line end. Returns its length, as a file does."""
        try:
            self._lines.put_nowait(text.encode(errors="replace"))
        except queue.Full:
            with self._lock:
                self._not_taken += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: loggers call this after each line, but the thread writes by itself."""

    def close(self, timeout_s: float = LAST_LINES_S) -> None:
        """Write the waiting lines, for at most so long. Do not write anything afterwards."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                while line:
                    line = line[os.write(self._fd, line) :]
            except OSError:  # the disk is full or the reader is gone; the next line may succeed
                self._not_written += 1
