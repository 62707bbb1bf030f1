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
"""About a megabyte; a worker of 20 calls writes some ten lines a second."""

LAST_LINES_S = 1.0
"""How long a process that ends still waits for its log to be written."""


class LogSink:
    """A file to loggers: takes whole lines, of any thread, and never waits.

    Args:
        fd: Where they are written. It stays open.
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
        """How many lines nobody will ever read."""
        return self._not_taken + self._not_written

    def write(self, text: str) -> int:
        """Take a line with its end. Returns its length, as a file does."""
        try:
            self._lines.put_nowait(text.encode(errors="replace"))
        except queue.Full:
            with self._lock:
                self._not_taken += 1
        return len(text)

    def flush(self) -> None:
        """For loggers, which call it after each line: the thread is on its way."""

    def close(self, timeout_s: float = LAST_LINES_S) -> None:
        """Write what waits, for as long as this takes at most. Nothing may be written after it."""
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
            except OSError:  # the disk is full, the reader is gone: better luck with the next line
                self._not_written += 1
