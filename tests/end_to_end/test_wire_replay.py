"""`offhook replay --wire`: recorded worlds through a real server, over real sockets."""

import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from telephony import cli
from telephony.replay.recording import Header, Step, write
from telephony.server import stream
from telephony.simulator.world_file import load
from telephony.twilio.messages import render_mark
from tests.worlds.sdk import WireSdk

WORLDS = Path(__file__).parents[1] / "worlds/files"


def record(name: str, folder: Path, worker: int = 1) -> Path:
    """The recording of one worker's part of a world."""
    lived = load(WORLDS / f"{name}.toml").world(WireSdk())
    lived.run()
    mine = [step for step in lived.steps if step.worker == worker]
    steps = [Step(step.event, step.at_ms - mine[0].at_ms, step.commands) for step in mine]
    recorded = folder / f"{name}.call"
    write(recorded, Header(1, clock="virtual"), steps)
    return recorded


def replay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path
) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    argv = ["offhook", "replay", "--wire", *map(str, arguments)]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("name", ["barge-in", "model-lost"])
def test_a_recorded_call_passes_on_the_wire(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded = record(name, tmp_path)
    code, out, err = replay(capsys, monkeypatch, recorded)
    assert (code, err) == (0, ""), out
    assert f"PASS  {recorded}  " in out
    assert "on the wire: farthest apart: " in out


@pytest.mark.parametrize(
    ("old", "new"), [(b'"cmd":"SendClear"', None), (b'"heard":"Hello, this"', b'"heard":"Bye"')]
)
def test_a_recording_whose_golden_was_altered_fails(
    old: bytes,
    new: bytes | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded = record("barge-in", tmp_path)
    golden = recorded / "expect.jsonl"
    *lines, total = golden.read_bytes().splitlines(keepends=True)
    assert any(old in line for line in lines)
    altered = [line.replace(old, new or b"") for line in lines if new or old not in line]
    last = msgspec.json.decode(total) | {"sha256": sha256(b"".join(altered)).hexdigest()}
    golden.write_bytes(b"".join(altered) + msgspec.json.encode(last) + b"\n")
    code, out, err = replay(capsys, monkeypatch, recorded)
    assert (code, err) == (1, "")
    assert f"DIFF  {recorded}  " in out
    assert f"offhook replay --wire {recorded}" in out


def test_what_only_the_wire_shows_fails_there_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record("barge-in", tmp_path)
    # The call asks for a clear, as recorded; the server puts something else on the wire.
    monkeypatch.setattr(stream, "render_clear", partial(render_mark, name="instead of a clear"))
    code, out, err = replay(capsys, monkeypatch, recorded)
    assert (code, err) == (1, "")
    assert "on the wire: expected clears 1, got 0" in out


def test_what_one_server_cannot_live_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = replay(capsys, monkeypatch, record("another-worker", tmp_path))
    assert code == 2
    assert "one server can cause, got OwnershipLost; fix: replay it without --wire" in out


def test_a_recording_cut_off_is_not_for_the_wire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = replay(capsys, monkeypatch, "--partial", tmp_path)
    assert code == 2
    assert err.startswith("offhook: --wire: expected whole recordings, got --partial")
