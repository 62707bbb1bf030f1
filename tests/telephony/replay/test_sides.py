"""`offhook replay --wav`: one stereo file of a call, from the recordings of all its workers."""

import gc
import sys
import wave
from pathlib import Path

import pytest

from telephony import cli
from telephony.replay.reader import read
from telephony.replay.sides import sides_of
from tests.replay.make import CALLS


def replay(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["offhook", "replay", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    gc.unfreeze()
    return ended.value.code


def test_all_workers_of_a_call_become_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workers = [CALLS / f"worker-killed{n}.call" for n in (".2", "")]
    assert replay(monkeypatch, *workers, "--jobs", "1", "--wav", tmp_path / "call.wav") == 0
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        assert 6_000 < file.getnframes() // 8 < 9_000


def test_a_call_that_differs_has_no_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    golden = folder / "expect.jsonl"
    first, _, rest = golden.read_text().partition("\n")
    golden.write_text(f"{first.replace('}', ' }', 1)}\n{rest}")
    wav = tmp_path / "call.wav"
    assert replay(monkeypatch, folder, "--wav", wav) != 0
    assert not wav.exists()


def test_recordings_of_two_calls_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    folder: Path,
) -> None:
    other = tmp_path / "other.call"
    other.mkdir()
    for file in folder.iterdir():
        text = file.read_bytes()
        (other / file.name).write_bytes(text.replace(b'"call_sid":"CA00', b'"call_sid":"CA01'))
    wav = tmp_path / "call.wav"
    assert replay(monkeypatch, folder, other, "--jobs", "1", "--wav", wav) == 2
    assert "expected a recording of the same call as barge-ins.call" in capsys.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        ("yes", "worker-killed"),
        ("worker-killed", "yes"),
        ("worker-killed", "tool-worker-killed.2"),
    ],
)
def test_fixtures_of_two_calls_are_refused_though_all_have_one_call_sid(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    names: tuple[str, str],
) -> None:
    folders = [CALLS / f"{name}.call" for name in names]
    wav = tmp_path / "call.wav"
    assert replay(monkeypatch, *folders, "--jobs", "1", "--wav", wav) == 2
    assert "expected a recording of the same call as" in capsys.readouterr().err
    assert not wav.exists()


@pytest.mark.parametrize("path", sorted(CALLS.glob("*.2.call")), ids=lambda path: path.name)
def test_a_call_of_two_workers_is_one_in_each_fixture(path: Path) -> None:
    first = path.with_name(path.name.replace(".2.", "."))
    sides = sides_of([read(path), read(first)])
    assert len(sides.caller) == len(sides.agent) > 0


def test_a_file_that_cannot_be_written_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    folder: Path,
) -> None:
    assert replay(monkeypatch, folder, "--wav", tmp_path / "no" / "call.wav") == 2
    assert "--wav: expected a file that can be written" in capsys.readouterr().err
