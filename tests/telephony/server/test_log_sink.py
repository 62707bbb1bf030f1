"""Log lines are written in order; who cannot be written to costs lines, and no time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.server.log_sink import LogSink
from tests.faults.blocked_pipe import ROOM_BYTES, blocked_pipe

ROOM = 10


@pytest.fixture
def blocked() -> Iterator[tuple[int, int]]:
    with blocked_pipe() as ends:
        yield ends


def test_lines_are_written_in_order_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [f"{n} ünïcode \ud800\n" for n in range(1_000)]
    with path.open("wb") as file:
        sink = LogSink(file.fileno())
        for line in lines:
            sink.write(line)
        sink.close()
    assert sink.dropped == 0
    assert path.read_text() == "".join(lines).replace("\ud800", "?")


def test_a_reader_who_stops_reading_costs_lines_and_not_a_wait(blocked: tuple[int, int]) -> None:
    reading, writing = blocked
    sink = LogSink(writing, ROOM)
    for _ in range(1_000):
        sink.write("a line\n")
    assert 1_000 - ROOM - 1 <= sink.dropped <= 1_000 - ROOM
    while os.read(reading, ROOM_BYTES).startswith(b"\0"):
        pass
    sink.close()
    assert 1_000 - ROOM - 1 <= sink.dropped <= 1_000 - ROOM


def test_a_disk_that_is_full_costs_each_line_and_nothing_else() -> None:
    with Path("/dev/full").open("wb") as full:
        sink = LogSink(full.fileno())
        for _ in range(ROOM):
            sink.write("a line\n")
        sink.close()
    assert sink.dropped == ROOM


def test_a_process_that_ends_does_not_wait_for_a_reader_for_ever(blocked: tuple[int, int]) -> None:
    sink = LogSink(blocked[1], ROOM)
    for _ in range(ROOM + 1):
        sink.write("a line\n")
    sink.close(timeout_s=0.01)
    os.read(blocked[0], ROOM_BYTES)
    sink.close()
