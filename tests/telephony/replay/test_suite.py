"""`offhook replay`: what is printed, what is written, and the exit code."""

import gc
import json
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from telephony import cli
from telephony.replay.suite import find


class Offhook:
    """`offhook replay …`: exit code, standard output, standard error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def replay(self, *arguments: str | Path) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["offhook", "replay", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        gc.unfreeze()  # what a command froze for its own life would stay for the whole test run
        printed = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err


@pytest.fixture
def offhook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offhook:
    return Offhook(monkeypatch, capsys)


def spoil(folder: Path) -> None:
    """Change one command in the golden, and its hash with it: as if the code had changed."""
    path = folder / "expect.jsonl"
    *lines, total = path.read_bytes().splitlines(keepends=True)
    n = next(n for n, line in enumerate(lines) if b'"SendClear"' in line)
    lines[n] = lines[n].replace(b'"stream_sid":"MZ', b'"stream_sid":"MX')
    last = json.loads(total) | {"sha256": sha256(b"".join(lines)).hexdigest()}
    path.write_bytes(b"".join(lines) + json.dumps(last, separators=(",", ":")).encode() + b"\n")


def test_a_single_call_is_told_whole(folder: Path, offhook: Offhook) -> None:
    code, out, err = offhook.replay(folder)
    assert (code, err) == (0, "")
    assert "caller                            agent " in out
    assert "~barge-in~" in out
    assert "clear +0 ms" in out
    assert "(cut)" in out
    assert "lost (1006)" in out
    assert "dialled, with its handle" in out
    assert "response p50 " in out
    assert "gaps 0, 0 ms" in out
    assert f"PASS  {folder}  " in out
    assert "times real time per core" in out
    assert "\x1b" not in out


def test_a_difference_is_shown_from_both_sides_with_the_way_to_see_it_again(
    folder: Path, offhook: Offhook
) -> None:
    spoil(folder)
    code, out, _ = offhook.replay(folder)
    assert code == 1
    assert f"DIFF  {folder}" in out
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if "first difference at expect.jsonl:" in line)
    marks = [line[:6] for line in lines[at + 1 : at + 16]]
    assert marks == ["      "] * 5 + ["    - "] * 5 + ["    + "] * 5
    assert '"stream_sid":"MX' in lines[at + 6]
    assert '"stream_sid":"MZ' in lines[at + 11]
    assert lines[at + 16] == f"  to see it again: offhook replay {folder}"


def test_an_update_blesses_the_golden_and_shows_what_changed(
    folder: Path, offhook: Offhook
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    spoil(folder)
    code, out, _ = offhook.replay(folder, "--update")
    assert code == 0
    assert "golden: 4 lines changed" in out  # the clear and the hash, old and new
    assert '    -{"cmd":"SendClear"' in out
    assert '    +{"cmd":"SendClear"' in out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert offhook.replay(folder)[0] == 0
    assert "golden: nothing changed" in offhook.replay(folder, "--update")[1]


@pytest.mark.real
def test_many_are_replayed_in_processes_and_a_bad_one_does_not_hide_the_others(
    folder: Path, offhook: Offhook
) -> None:
    different, bad = folder.with_name("different.call"), folder.with_name("bad.call")
    for copy in (different, bad):
        shutil.copytree(folder, copy)
    spoil(different)
    (bad / "call.jsonl").write_bytes(b'{"call":2}\n')
    junit = folder.parent / "junit.xml"

    code, out, err = offhook.replay(folder.parent, "--jobs", "2", "--junit", junit)
    assert (code, err) == (2, "")
    assert "1 passed, 1 different, 1 bad" in out
    assert f"BAD   {bad}/call.jsonl:1: expected a recording of format call/1, got call/2" in out
    assert f"DIFF  {different}" in out
    assert f"PASS  {folder}" in out
    assert "~barge-in~" not in out
    suite = ET.fromstring(junit.read_bytes())  # noqa: S314 - we wrote it
    assert dict(suite.attrib) == {
        "name": "offhook replay",
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    assert {case.attrib["name"]: [child.tag for child in case] for case in suite} == {
        str(bad): ["error"],
        str(folder): [],
        str(different): ["failure"],
    }

    code, out, _ = offhook.replay(folder, different, "--json", "--jobs", "1", "--repeat", "2")
    assert code == 1
    good, other = json.loads(out)
    assert (good["passed"], good["hashes"], good["difference"]) == (True, 1, None)
    assert (other["passed"], other["sha256"]) == (False, good["sha256"])
    assert other["difference"]["line"] > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.call"], "expected a file of a recorded call, got none"),
        (["."], "expected folders *.call, got none; fix: "),
        (["whole.call", "--update", "--partial"], "--update: expected whole recordings"),
        (["whole.call", "--junit", "no/such/place"], "--junit: expected a file"),
    ],
)
def test_a_mistake_is_one_message(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    offhook: Offhook,
    arguments: list[str],
    message: str,
) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    if "whole.call" in arguments:
        folder.rename(place / "whole.call")
    monkeypatch.chdir(place)
    code, out, err = offhook.replay(*arguments)
    assert code == 2
    assert message in out + err
    assert "Traceback" not in out + err


def test_each_recording_is_found_once(folder: Path) -> None:
    inner = folder.parent / "more" / "inner.call"
    shutil.copytree(folder, inner)
    assert find([folder.parent, inner, folder]) == [folder, inner]
