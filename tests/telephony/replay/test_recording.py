"""A recording comes back as it was written; a damaged one is one clear error, never a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.conversation.persona import DEFAULT_PERSONA
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, CallStatus
from telephony.errors import RecordingError
from telephony.replay.audio import CALLER, MODEL, load_shared, save_shared
from telephony.replay.reader import read, read_golden
from telephony.replay.recording import Header, Recording, Step, write


def events(recording: Recording) -> list[tuple[object, int]]:
    return list(recording.events)


def test_it_comes_back_as_it_was_written(folder: Path, steps: list[Step]) -> None:
    recording = read(folder)
    assert events(recording) == [(step.event, step.now_ms) for step in steps]
    assert recording.header == Header(1, app="0.1.0", clock="virtual", why="Four barge-ins.")
    assert recording.whole
    assert recording.duration_ms == steps[-1].now_ms
    golden = read_golden(folder)
    assert golden.whole
    assert json.loads(golden.lines[-1])["cmd"] == "EndCall"


def test_it_is_written_to_the_same_bytes_again(
    folder: Path, steps: list[Step], tmp_path: Path
) -> None:
    again = tmp_path / "again.call"
    recording = read(folder)
    write(again, recording.header, steps)
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in again.iterdir()) == names
    assert len(names) == 4
    for name in names:
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_audio_that_recordings_share_lies_beside_them(folder: Path, steps: list[Step]) -> None:
    shared = folder.parent / "audio"
    for medium in (CALLER, MODEL):
        (own,) = folder.glob(f"*{medium.suffix}")
        save_shared(shared, medium, own.read_bytes())
    known = {medium: load_shared(shared, medium) for medium in (CALLER, MODEL)}
    write(folder, Header(1), steps, known)
    assert sorted(path.name for path in folder.iterdir()) == ["call.jsonl", "expect.jsonl"]
    assert events(read(folder)) == [(step.event, step.now_ms) for step in steps]


SHORT = [
    Step(CallOpened("CA1", 1, 1_795_000_000_000, DEFAULT_PERSONA), 0, []),
    Step(CallStatus("completed"), 900, [EndCall(EndedReason.CALLER_HANGUP, final=True)]),
]


def cut_after(folder: Path, name: str, n: int) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:n])


@pytest.mark.parametrize("name", ["call.jsonl", "expect.jsonl"])
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "short.call"
    write(folder, Header(1), SHORT)
    whole = (folder / name).read_bytes()
    reader: Callable[[Path], Any] = read if name == "call.jsonl" else read_golden
    reader(folder)
    for n in range(len(whole)):
        (folder / name).write_bytes(whole[:n])
        with pytest.raises(RecordingError, match=rf"{name}:\d+: expected .*; fix: "):
            reader(folder)


def test_what_a_crash_left_is_read_as_far_as_it_goes(folder: Path, steps: list[Step]) -> None:
    data = (folder / "call.jsonl").read_bytes()
    (own,) = folder.glob("*.ulaw")
    own.rename(folder / "caller.ulaw")
    (own,) = folder.glob("*.pcm24")
    own.rename(folder / "model.pcm24")
    given = [(step.event, step.now_ms) for step in steps]
    opened = data.index(b"\n", data.index(b"\n") + 1)
    for n in range(0, len(data) - 1, 1997):
        cut_after(folder, "call.jsonl", n)
        if n <= opened:
            with pytest.raises(RecordingError, match="expected"):
                read(folder, partial=True)
        else:
            recording = read(folder, partial=True)
            assert not recording.whole
            assert events(recording) == given[: len(recording.events)]
        (folder / "call.jsonl").write_bytes(data)


def edit(folder: Path, name: str, line: int, change: Callable[[bytes], bytes]) -> None:
    path = folder / name
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = change(lines[line])
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("name", "line", "change", "message"),
    [
        ("call.jsonl", 0, lambda _: b'{"call":2,"new":1}\n', r":1: .*call/1, got call/2; .*newer"),
        ("call.jsonl", 0, lambda _: b'{"call":0}\n', r":1: .*call/1, got call/0"),
        ("call.jsonl", 0, lambda _: b'{"call":1,"more":1}\n', r":1: .*unknown field `more`"),
        ("call.jsonl", 0, lambda _: b'{"call":1,"expect":{"x":1}}\n', r":1: .*unknown field `x`"),
        ("call.jsonl", 0, lambda _: b'{"call":' + b"[" * 9000 + b"\n", r":1: "),
        ("call.jsonl", 0, lambda _: b"", r":1: expected the header"),
        ("call.jsonl", 1, lambda _: b"", r"expected \d+ events, .* got"),
        ("call.jsonl", 2, lambda line: line[:-2] + b',"more":1}\n', r":3: .*unknown field `more`"),
        ("call.jsonl", 2, lambda line: line.replace(b"Started", b"Star"), r":3: .*Invalid value"),
        ("call.jsonl", 2, lambda _: b"\xff\xfe\n", r":3: "),
        ("call.jsonl", 2, lambda _: b"\n", r":3: "),
        ("call.jsonl", 2, lambda _: b'{"ev":"End","events":1}\n', r":3: expected `End` at the end"),
        ("call.jsonl", 2, lambda _: b'{"ev":"Tick","t":-1}\n', r":3: expected a time"),
        ("call.jsonl", 2, lambda _: b'{"ev":"Tick","t":9999999999}\n', r":3: expected a time"),
        ("call.jsonl", -1, lambda line: line.replace(b'"caller":', b'"c":'), r"to name the file"),
        ("call.jsonl", -1, lambda line: line + b"{}\n", r": "),
        ("expect.jsonl", 2, lambda line: line.replace(b'"step":', b'"stop":'), r":3: .*`stop`"),
        ("expect.jsonl", 2, lambda line: line.replace(b'"t":', b'"t":1'), r"of the hash"),
        ("expect.jsonl", -1, lambda line: line + line, r"expected nothing after `Sum`"),
    ],
)
def test_what_is_damaged_is_said_with_its_place(
    folder: Path, name: str, line: int, change: Callable[[bytes], bytes], message: str
) -> None:
    edit(folder, name, line, change)
    with pytest.raises(RecordingError, match=rf"{name}.*{message}"):
        read(folder) if name == "call.jsonl" else read_golden(folder)


def test_audio_that_is_missing_or_another_is_said(folder: Path) -> None:
    (own,) = folder.glob("*.ulaw")
    data = own.read_bytes()
    own.write_bytes(data[:-1] + b"\x01")
    with pytest.raises(RecordingError, match=rf"of the hash {own.stem} in .*, got other audio"):
        read(folder)
    own.unlink()
    with pytest.raises(RecordingError, match=rf"expected the file {own.name} in .*, got none"):
        read(folder)


def test_a_folder_that_is_none_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RecordingError, match="got none"):
        read(tmp_path / "missing.call")
    (folder / "expect.jsonl").unlink()
    with pytest.raises(RecordingError, match=r"expect.jsonl: expected a file"):
        read_golden(folder)
    shutil.rmtree(folder)
    folder.write_text("")
    with pytest.raises(RecordingError, match="got none"):
        read(folder)
