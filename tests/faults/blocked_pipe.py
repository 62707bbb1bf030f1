"""A full pipe that accepts no further byte."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

ROOM_BYTES = 4_096
"""The least that Linux gives a pipe."""


@contextmanager
def blocked_pipe() -> Iterator[tuple[int, int]]:
    """The end to read, and the end to write, which blocks until somebody has read."""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, ROOM_BYTES)
        os.write(writing, bytes(ROOM_BYTES))
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)
