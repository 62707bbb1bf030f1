"""Calls are recorded while they run; whatever happens to a recording, the call goes on."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation.events import AgentSaid
from telephony.call.events import CallOpened
from telephony.errors import SettingsError
from telephony.replay import recorder as recorder_module
from telephony.replay.reader import read
from telephony.replay.recorder import Recorder
from telephony.replay.recording import Step
from telephony.replay.selection import Selection
from telephony.replay.verdict import Options, judge

CALL_SID = "CA" + "0" * 32


def record(recorder: Recorder, steps: list[Step], call_sid: str = CALL_SID) -> None:
    for step in steps:
        event = step.event
        if isinstance(event, CallOpened):
            event = replace(event, call_sid=call_sid)
        recorder(call_sid, event, step.now_ms, step.commands)


def recordings(place: Path) -> list[Path]:
    return sorted(place.glob("*.call"))


def test_a_call_is_recorded_as_it_would_be_written_afterwards(
    folder: Path, steps: list[Step], tmp_path: Path
) -> None:
    with Recorder(tmp_path / "place") as recorder:
        record(recorder, steps)
    (recorded,) = recordings(tmp_path / "place")
    assert recorded.name == f"{CALL_SID}.1795000000000.call"
    assert recorded.stat().st_mode & 0o77 == 0
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in recorded.iterdir()) == names
    for name in names:
        ours, theirs = (recorded / name).read_bytes(), (folder / name).read_bytes()
        if name == "call.jsonl":
            ours, theirs = ours[ours.index(b"\n") :], theirs[theirs.index(b"\n") :]
        assert ours == theirs
    header = read(recorded).header
    assert (header.clock, header.recorded) == ("live", "2026-11-18")
    assert judge(recorded, Options()).passed


def test_several_calls_at_once_are_recorded_apart(steps: list[Step], tmp_path: Path) -> None:
    sids = [f"CA{n}" for n in range(5)]
    with Recorder(tmp_path) as recorder:
        for step in steps:
            for sid in sids:
                record(recorder, [step], sid)
    assert [path.name.split(".")[0] for path in recordings(tmp_path)] == sids
    assert all(judge(path, Options()).passed for path in recordings(tmp_path))


def test_half_a_character_does_not_end_a_recording(steps: list[Step], tmp_path: Path) -> None:
    halved = [
        step._replace(event=replace(step.event, text=step.event.text + "\ud800"))
        if isinstance(step.event, AgentSaid)
        else step
        for step in steps
    ]
    dropped: list[str] = []
    with Recorder(tmp_path, dropped=dropped.append) as recorder:
        record(recorder, halved)
    (recorded,) = recordings(tmp_path)
    said = [event for event, _ in read(recorded).events if isinstance(event, AgentSaid)]
    assert dropped == []
    assert said
    assert all(event.text.endswith("\ufffd") for event in said)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_recording_that_was_cut_off_is_a_prefix(
    steps: list[Step], tmp_path: Path, share: float
) -> None:
    with Recorder(tmp_path) as recorder:
        record(recorder, steps[: 2 + int(share * len(steps))])
    (recorded,) = recordings(tmp_path)
    assert "expected `End`" in judge(recorded, Options()).error
    verdict = judge(recorded, Options(partial=True))
    assert (verdict.passed, verdict.error) == (True, "")
    assert verdict.events >= 2 + int(share * len(steps)) - 100


def dropped_at(recorder: Recorder, dropped: list[str], steps: list[Step]) -> str:
    """Why the recording ended; the recorder's context is left behind."""
    with recorder:
        record(recorder, steps)
    (why,) = dropped
    return why


def test_a_queue_that_is_full_ends_the_recording_and_not_the_call(
    steps: list[Step], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "WAITING_LIMIT_BYTES", 5_000)
    dropped: list[str] = []
    assert dropped_at(Recorder(tmp_path, dropped=dropped.append), dropped, steps) == "disk too slow"
    (recorded,) = recordings(tmp_path)
    assert judge(recorded, Options(partial=True)).passed


def test_a_recording_is_bounded(
    steps: list[Step], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RECORDING_LIMIT_BYTES", 300_000)
    dropped: list[str] = []
    assert dropped_at(Recorder(tmp_path, dropped=dropped.append), dropped, steps) == "too large"
    (recorded,) = recordings(tmp_path)
    assert sum(path.stat().st_size for path in recorded.iterdir()) <= 300_000
    assert judge(recorded, Options(partial=True)).passed


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """What a full disk is like: writes beyond it fail."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_ends_the_recording_and_not_the_call(
    steps: list[Step], tmp_path: Path
) -> None:
    dropped: list[str] = []
    recorder = Recorder(tmp_path, dropped=dropped.append)
    with files_no_larger_than(200_000):
        assert dropped_at(recorder, dropped, steps) == "not written"
    (recorded,) = recordings(tmp_path)
    assert judge(recorded, Options(partial=True)).passed


def test_a_folder_that_is_there_already_is_left_alone(steps: list[Step], tmp_path: Path) -> None:
    there = tmp_path / f"{CALL_SID}.1795000000000.call"
    there.mkdir()
    dropped: list[str] = []
    assert dropped_at(Recorder(tmp_path, dropped=dropped.append), dropped, steps) == "not written"
    assert list(there.iterdir()) == []


def test_what_can_not_be_written_down_ends_the_recording_and_not_the_call(
    steps: list[Step], tmp_path: Path
) -> None:
    nonsense = Step(AgentSaid(1, object()), steps[5].now_ms, [])  # type: ignore[arg-type] # no text
    dropped: list[str] = []
    recorder = Recorder(tmp_path, dropped=dropped.append)
    assert dropped_at(recorder, dropped, [*steps[:5], nonsense, *steps[5:]]) == "bug"


def test_only_calls_that_are_wanted_are_recorded(steps: list[Step], tmp_path: Path) -> None:
    with Recorder(tmp_path, Selection(0.0, frozenset({"+15550100"}))) as recorder:
        recorder.note_numbers("CA1", "+15550100", "+15550199")
        recorder.note_numbers("CA2", "+15550198", "+15550199")
        for sid in ("CA1", "CA2", "CA3"):
            record(recorder, steps, sid)
    assert [path.name.split(".")[0] for path in recordings(tmp_path)] == ["CA1"]


def test_a_name_is_no_way_out_of_the_folder(steps: list[Step], tmp_path: Path) -> None:
    with Recorder(tmp_path / "place") as recorder:
        record(recorder, steps, "../../CA1")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert len(recordings(tmp_path / "place")) == 1


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="RECORD_DIR: expected a folder"):
        Recorder(tmp_path / "file" / "below").make_folder()
