"""The lanes themselves: who is in which, and that nothing real happens in the wrong one."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import lanes

ROOT = Path(__file__).parents[2]

TESTS = """
import socket
import subprocess
import sys
import pytest

@pytest.fixture
def started(): return subprocess.run([sys.executable, "-c", ""], check=True)

@pytest.mark.parametrize("port", [0])
def test_binds(port): socket.create_server(("127.0.0.1", port)).close()

def test_connects():
    try:
        socket.create_connection(("127.0.0.1", 1))
    except Exception:
        pass

def test_asks_for_what_is_started(started): pass

@pytest.mark.real
def test_is_marked(): socket.create_server(("127.0.0.1", 0)).close()

def test_computes(): pass
"""


@pytest.mark.real
def test_a_test_that_is_real_and_does_not_say_so_fails(tmp_path: Path) -> None:
    """Also one that catches what stops it."""
    (tmp_path / "test_lane.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = real")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-rA"]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.findall(r"^(PASSED|FAILED|ERROR) .*test_lane.py::(\S+)", done.stdout, re.MULTILINE)
    failed = {name for how, name in told if how != "PASSED"}
    assert failed == {"test_binds[0]", "test_connects", "test_asks_for_what_is_started"}
    assert {name for _, name in told} - failed == {"test_is_marked", "test_computes"}
    assert "fix: mark it with @pytest.mark.real" in done.stdout


def test_what_is_forbidden_is_stopped_and_remembered() -> None:
    guard = lanes.Guard()
    with guard.on(), pytest.raises(lanes.NotRealError, match=r"got socket\.connect"):
        guard.audit("socket.connect", ())
    guard.audit("socket.connect", ())  # it is off
    assert guard.caught == ["socket.connect"]


def test_every_place_is_there() -> None:
    tests = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    places = (*lanes.PLACES, *lanes.LONG_COMPUTED)
    assert [place for place in places if not any(t.startswith(place) for t in tests)] == []


@pytest.mark.real
def test_a_real_test_may() -> None:
    socket.create_server(("127.0.0.1", 0)).close()
