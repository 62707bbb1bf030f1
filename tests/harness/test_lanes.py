"""The lanes themselves: who is in which, and that nothing real happens in the wrong one."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tests import lanes

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

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


STORE, GUARDED = "tests/contracts/test_store.py", "tests/agent/gemini/test_guarded.py"
WORLDS = "tests/worlds/test_cuts.py"


@pytest.mark.parametrize(
    ("path", "markexpr", "lane", "left_out"),
    [
        (GUARDED, "not real", lanes.Lane.BOTH, True),
        (STORE, "not real", lanes.Lane.BOTH, False),
        ("tests/end_to_end", "not real", lanes.Lane.BOTH, False),
        ("tests/end_to_end/conftest.py", "not real", lanes.Lane.BOTH, False),
        (GUARDED, "", lanes.Lane.COMPUTED, False),
        (STORE, "", lanes.Lane.REAL, False),
        (GUARDED, "", lanes.Lane.REAL, False),
        (WORLDS, "", lanes.Lane.REAL, True),
        (WORLDS, "", lanes.Lane.COMPUTED, False),
        (WORLDS, "", lanes.Lane.BOTH, False),
        (WORLDS, "real", lanes.Lane.BOTH, True),
        (WORLDS, "not real", lanes.Lane.REAL, False),
        ("tests/worlds/conftest.py", "real", lanes.Lane.BOTH, False),
    ],
)
def test_only_files_are_not_imported_of_which_nothing_is_run(
    path: str, markexpr: str, lane: lanes.Lane, *, left_out: bool
) -> None:
    assert lanes.is_left_out(path, markexpr, lane) is left_out


@pytest.mark.parametrize(
    ("worker", "processes", "lane"),
    [
        ("gw0", 2, lanes.Lane.BOTH),
        ("gw8", 9, lanes.Lane.BOTH),
        ("gw0", 11, lanes.Lane.COMPUTED),
        ("gw1", 11, lanes.Lane.COMPUTED),
        ("gw2", 11, lanes.Lane.REAL),
        ("gw10", 11, lanes.Lane.REAL),
        ("gw11", 11, lanes.Lane.BOTH),
    ],
)
def test_a_process_has_one_lane_where_there_are_enough(
    worker: str, processes: int, lane: lanes.Lane
) -> None:
    assert lanes.lane_of(worker, processes) is lane


class Process:
    """What the scheduler sees of a process: runs all that it is given, at once."""

    def __init__(self, number: int, tests: list[str]) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.shutting_down = False
        self.ran: list[str] = []
        self.waiting: list[int] = []
        self._tests = tests

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.waiting += indices
        self.ran += [self._tests[index] for index in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduled(
    tests: list[str],
    processes: int,
    known: Callable[[int], list[str]] | None = None,
    reports: list[pytest.CollectReport] | None = None,
) -> list[Process]:
    """All processes, when all tests have run; `known` says which of them each has imported."""
    know = known or (lambda _: tests)

    def note(report: pytest.CollectReport) -> None:
        if reports is not None:
            reports.append(report)

    config = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=False),
        getvalue=lambda _: [f"{processes}*popen"],
        hook=SimpleNamespace(pytest_collectreport=note),
    )
    scheduling = lanes.LaneScheduling(cast("pytest.Config", config))
    made = [Process(number, know(number)) for number in range(processes)]
    nodes = [cast("WorkerController", process) for process in made]
    for node in nodes:
        scheduling.add_node(node)
    for number, node in reversed(list(enumerate(nodes))):
        scheduling.add_node_collection(node, know(number))
    scheduling.schedule()
    while scheduling.has_pending:
        for process, node in zip(made, nodes, strict=True):
            if process.waiting:
                scheduling.mark_test_complete(node, process.waiting.pop(0))
    return made


COMPUTED = [f"tests/worlds/test_{n}.py::test_{m}" for n in range(5) for m in range(3)]
IN_PLACES = [f"{place}::test_{n}{lanes.REAL}" for place in lanes.LONGEST for n in range(9)]
MARKED = [f"tests/contracts/test_store.py::test_{n}{lanes.REAL}" for n in range(4)]


def test_real_tests_have_processes_of_their_own() -> None:
    processes = scheduled([*COMPUTED, *MARKED, *IN_PLACES], 11)
    assert sorted(test for each in processes[:2] for test in each.ran) == sorted(COMPUTED)
    assert sorted(test for each in processes[2:] for test in each.ran) == sorted(
        [*MARKED, *IN_PLACES]
    )
    assert all(each.ran and each.shutting_down for each in processes)
    assert {test in each.ran for each in processes[2:3] for test in MARKED} == {True}


def test_a_process_that_has_imported_its_lane_alone_runs_nothing_else() -> None:
    tests = [*COMPUTED, *MARKED, *IN_PLACES]
    real = [*MARKED, *IN_PLACES]
    made = scheduled(tests, 11, lambda number: tests if number < 2 else real)
    assert sorted(test for each in made[:2] for test in each.ran) == sorted(COMPUTED)
    assert sorted(test for each in made[2:] for test in each.ran) == sorted(real)


def test_of_one_file_that_only_computes_the_real_lane_has_nothing() -> None:
    made = scheduled(COMPUTED, 11, lambda number: COMPUTED if number < 2 else [])
    assert sorted(test for each in made[:2] for test in each.ran) == sorted(COMPUTED)
    assert all(each.shutting_down for each in made)


def test_a_file_with_real_tests_that_the_real_lane_does_not_know_fails_the_run() -> None:
    tests = [*COMPUTED, *MARKED, *IN_PLACES]
    reports: list[pytest.CollectReport] = []
    made = scheduled(tests, 11, lambda number: tests if number < 2 else IN_PLACES, reports)
    assert [each.ran for each in made] == [[]] * 11
    assert [report.outcome for report in reports] == ["failed"]
    assert "got others: ['tests/contracts/test_store.py']" in str(reports[0].longrepr)


@pytest.mark.parametrize(("tests", "processes"), [(COMPUTED, 11), ([*COMPUTED, *IN_PLACES], 2)])
def test_with_one_lane_or_few_processes_each_runs_what_comes(
    tests: list[str], processes: int
) -> None:
    made = scheduled(tests, processes)
    assert sorted(test for each in made for test in each.ran) == sorted(tests)
    of_lanes = [{test.endswith(lanes.REAL) for test in each.ran} for each in made if each.ran]
    assert len(of_lanes) == min(processes, 5)
    assert all(kinds == {test.endswith(lanes.REAL) for test in tests} for kinds in of_lanes)


def test_names_tell_lanes_to_the_scheduler_alone(request: pytest.FixtureRequest) -> None:
    items = [item for item in request.session.items if item.path == request.path]
    names = [item.nodeid for item in items]
    with lanes.names_tell_lanes(items):
        assert [item.nodeid for item in items if item.nodeid.endswith(lanes.REAL)] == [
            item.nodeid for item in items if lanes.is_real(item)
        ]
    assert [item.nodeid for item in items] == names


@pytest.mark.real
def test_a_real_test_may() -> None:
    socket.create_server(("127.0.0.1", 0)).close()
