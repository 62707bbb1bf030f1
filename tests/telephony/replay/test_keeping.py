"""Which recordings may be kept, for how long, and what a caller who refuses leaves behind."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from telephony.call.events import CallOpened
from telephony.replay.keeping import DAY_MS, Kept, is_refused, note, read_note, refuse, sweep
from telephony.replay.reader import read
from telephony.replay.recorder import Recorder
from telephony.replay.recording import Step
from telephony.replay.selection import ALL, NONE
from telephony.replay.verdict import Options, judge
from tests.replay import make
from tests.worlds.recorded_sound import workers_of

SID = "CA" + "0" * 32


@cache
def steps_of(name: str) -> list[Step]:
    world = make.lived(make.CALLS / f"{name}.call" / make.WORLD_FILE)
    return workers_of(world)[0][1]


def record(place: Path, steps: list[Step]) -> None:
    with Recorder(place, NONE) as recorder:
        recorder.note_numbers(SID, "+14155550199", callers=["a-hash"])
        for step in steps:
            recorder(SID, step.event, step.now_ms, step.commands)


def never(path: Path, error: OSError) -> None:
    raise AssertionError(f"{path}: {error}")


def test_a_call_is_recorded_only_if_its_agent_has_it_so(steps: list[Step], tmp_path: Path) -> None:
    record(tmp_path / "off", steps)
    assert not (tmp_path / "off").exists()
    record(tmp_path / "on", steps_of("consent-given"))
    (recorded,) = (tmp_path / "on").glob("*.call")
    assert judge(recorded, Options()).passed
    opened_ms = read(recorded).opened.wall_time_ms
    assert read_note(recorded) == Kept(SID, opened_ms + 30 * DAY_MS, ("a-hash",))


def test_what_a_caller_refuses_is_deleted_at_once_and_told_without_a_word(tmp_path: Path) -> None:
    earlier = tmp_path / f"{SID}.1794999000000.call"
    earlier.mkdir()
    with capture_logs() as logs:
        record(tmp_path, steps_of("consent-refused"))
    assert list(tmp_path.glob("*.call")) == []
    (told,) = logs
    assert told == {
        "event": "recording refused by the caller: stopped, and deleted",
        "call_sid": SID,
        "recordings": 2,
        "log_level": "info",
    }


def test_a_refused_call_is_recorded_by_nobody_else(tmp_path: Path) -> None:
    record(tmp_path, steps_of("consent-refused"))
    record(tmp_path, steps_of("consent-given"))  # the same call, on a worker that knows nothing
    assert list(tmp_path.glob("*.call")) == []
    first, *others = steps_of("consent-given")
    assert isinstance(first.event, CallOpened)
    saved = [c for step in others for c in step.commands if hasattr(c, "checkpoint")]
    for recorded in ("", "refused"):
        checkpoint = replace(saved[-1].checkpoint, recorded=recorded)
        opened = first._replace(event=replace(first.event, checkpoint=checkpoint))
        record(tmp_path / "other", [opened, *others])
    assert list((tmp_path / "other").glob("*.call")) == []


def test_what_is_too_old_is_deleted_whoever_made_it(tmp_path: Path) -> None:
    for name, until_ms in (("CA1.1", 0), ("CA2.1", 1_000), ("CA3.1", 1_001)):
        (tmp_path / f"{name}.call").mkdir()
        note(tmp_path / f"{name}.call", Kept(name, until_ms))
    (tmp_path / "CA4.1.call").mkdir()
    assert sweep(tmp_path, 1_000, never) == 1
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "CA1.1.call",
        "CA3.1.call",
        "CA4.1.call",
    ]
    assert sweep(tmp_path / "none", 1_000, never) == 0


def test_what_could_not_be_deleted_is_deleted_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(_: Path) -> None:
        raise OSError(28, "No space left on device")

    failed = []
    with monkeypatch.context() as patched, capture_logs():
        patched.setattr(shutil, "rmtree", fails)
        record(tmp_path, steps_of("consent-refused"))
        assert sweep(tmp_path, 1_000, lambda path, _: failed.append(path.name)) == 0
    assert failed == [f"{SID}.refused"]
    assert len(list(tmp_path.glob("*.call"))) == 1
    assert sweep(tmp_path, 1_000, never) == 1
    assert list(tmp_path.glob("*.call")) == []


def test_a_refusal_deletes_also_what_was_not_recorded_to_its_end(tmp_path: Path) -> None:
    (tmp_path / f"{SID}.1794999000000.call").mkdir()  # its disk was too slow, and it ended early
    steps = steps_of("consent-refused")
    with Recorder(tmp_path, NONE) as recorder:
        for step in steps[1:]:
            recorder(SID, step.event, step.now_ms, step.commands)
    assert list(tmp_path.glob("*.call")) == []


def test_what_was_refused_to_another_worker_is_neither_recorded_nor_kept(tmp_path: Path) -> None:
    (tmp_path / f"{SID}.1794999000000.call").mkdir()
    first, *others = steps_of("consent-given")
    assert isinstance(first.event, CallOpened)
    saved = [c for step in others for c in step.commands if hasattr(c, "checkpoint")]
    checkpoint = replace(saved[-1].checkpoint, recorded="refused")
    opened = first._replace(event=replace(first.event, checkpoint=checkpoint))
    with Recorder(tmp_path, ALL) as recorder:
        for step in (opened, *others):
            recorder(SID, step.event, step.now_ms, step.commands)
    assert list(tmp_path.glob("*.call")) == []


def test_no_room_for_the_mark_of_a_refusal_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded = tmp_path / f"{SID}.1794999000000.call"
    recorded.mkdir()
    touch = Path.touch

    def full(path: Path, mode: int = 0o666) -> None:
        if recorded.exists():
            raise OSError(28, "No space left on device")
        touch(path, mode)

    monkeypatch.setattr(Path, "touch", full)
    assert refuse(tmp_path, SID) == 1
    assert is_refused(tmp_path, SID)


def test_a_mark_that_cannot_be_removed_stops_no_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / f"{SID}.refused").touch()

    def fails(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    failed: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", fails)
        assert sweep(tmp_path, 1 << 62, lambda path, _: failed.append(path.name)) == 0
    assert failed == [f"{SID}.refused"]
    assert sweep(tmp_path, 1 << 62, never) == 0
    assert not is_refused(tmp_path, SID)
