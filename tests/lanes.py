"""The two lanes of the tests: those that compute, and those that are real.

A test is real if it opens a socket or starts a process. It takes real time, and most of it waits.
It is known by its place (`PLACES`), by what it asks for (`FIXTURES`), or by the marker `real`.
`make quick` leaves it out.

In `make test` each lane has processes of its own (`lane_of`). Real tests wait most of the time, so
nine of them run at once, at normal priority. What computes has the other processes, at the lowest
priority: it gets the time that the real tests leave, and hardly ever makes a call late. Where there
are fewer processes, each runs both lanes, and the real tests come when the others are done. No
process imports files of which it runs nothing (`is_left_out`).

Nobody has to remember this: a test that computes is stopped where it opens a socket or starts a
process, and fails.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cached_property

import pytest
from _pytest.nodeid import coerce_node_id
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

LONGEST = (
    "tests/end_to_end/test_recordings_on_the_wire.py",
    "tests/docs/test_readme_walk.py",
    "tests/end_to_end/test_browser_phone.py",
    "tests/end_to_end/test_command_line.py",
)
"""Calls of 40 s and more: they begin first, so that nobody waits for them at the end."""

PLACES = (
    *LONGEST,
    "tests/faults/",
    "tests/end_to_end/",
    "tests/judges/",
    "tests/docs/",
    "tests/infra/",
    "tests/packaging/",
    "tests/mutants/",
    "tests/harness/test_chromium.py",
    "tests/harness/test_skips.py",
    "tests/agent/store/test_own_server.py",
    "tests/agent/gemini/test_guarded.py",
    "tests/agent/gemini/test_session_",
    "tests/agent/tools/test_web.py",
    "tests/agent/simulator/test_server.py",
    "tests/agent/store/test_failures.py",
    "tests/telephony/browser_phone/test_dev.py",
    "tests/telephony/browser_phone/test_modules.py",
    "tests/telephony/browser_phone/test_talk.py",
    "tests/telephony/number/test_account.py",
    "tests/telephony/number/test_linking.py",
    "tests/telephony/number/test_number_check.py",
    "tests/telephony/server/test_placing.py",
    "tests/telephony/server/test_texting.py",
    "tests/telephony/server/test_trace_export.py",
    "tests/telephony/server/test_twilio_rest.py",
    "tests/telephony/simulator/test_call.py",
    "tests/telephony/simulator/test_carrier.py",
    "tests/telephony/simulator/test_fallback_and_callbacks.py",
    "tests/telephony/simulator/test_moved_by_rest.py",
    "tests/telephony/simulator/test_verbs.py",
    "tests/telephony/simulator/test_proxy.py",
    "tests/telephony/simulator/test_stream.py",
    "tests/telephony/simulator/test_warm_transfer.py",
    "tests/telephony/timeline/test_page.py",
)
"""Where all tests are real, in the order in which they run: the longest first."""

IN_PART = (
    "tests/agent/persona/test_commands.py",
    "tests/agent/store/test_connection.py",
    "tests/agent/tools/test_mcp_servers.py",
    "tests/architecture/test_tracked_files.py",
    "tests/benchmarks/quality/test_prompts.py",
    "tests/contracts/",
    "tests/harness/",
    "tests/replay/test_calls.py",
    "tests/telephony/audio/test_resample.py",
    "tests/telephony/fixture/test_revoice.py",
    "tests/telephony/fixture/test_scrub.py",
    "tests/telephony/replay/test_suite.py",
    "tests/telephony/server/test_kept.py",
    "tests/telephony/test_dial_command.py",
    "tests/telephony/test_help.py",
    "tests/telephony/test_purging.py",
    "tests/telephony/test_told_calls.py",
)
"""Where some tests are real. A process of the real lane imports no other files: that takes half of
the time. Who forgets a file here is told when all tests run.
"""

FIXTURES = {"redis_server"}
"""Whoever asks for one of these is real."""

LONG_COMPUTED = (
    "tests/worlds/",
    "tests/replay/",
    "tests/properties/",
    "tests/benchmarks/",
    "tests/telephony/fixture/",
    "tests/telephony/timeline/",
)
"""Which files of the others begin first."""

FORBIDDEN = {
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
}
"""Python's audit events of what only a real test may do."""


AT_ONCE = 9
"""How many processes run real tests. They keep a core and a half busy."""


LOWEST_PRIORITY = 19
"""As `nice` counts. A process of normal priority gets 68 times as much of a core beside it."""


class Lane(Enum):
    """What a process runs."""

    BOTH = "both"
    COMPUTED = "computed"
    REAL = "real"


class NotRealError(Exception):
    """A test that computes was about to open a socket or to start a process."""


class Guard:
    """Sees to it that a test that computes does nothing else. There is one, `GUARD`."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        """What was stopped while the guard was on."""
        self._on = False

    @contextmanager
    def on(self) -> Iterator[None]:
        """Stop what is forbidden until the block ends."""
        self.caught, self._on = [], True
        try:
            yield
        finally:
            self._on = False

    def audit(self, event: str, _arguments: tuple[object, ...]) -> None:
        """A hook of `sys.addaudithook`, which can not be taken away again."""
        if self._on and event in FORBIDDEN:
            self.caught.append(event)
            raise NotRealError(
                f"expected a test that only computes, got {event}; fix: mark it with "
                "@pytest.mark.real, or name its file in tests/lanes.py"
            )


GUARD = Guard()


def place_of(nodeid: str) -> int | None:
    """Which of `PLACES` a test is in; None if in none."""
    found = (number for number, place in enumerate(PLACES) if nodeid.startswith(place))
    return next(found, None)


def sort_into_lanes(items: list[pytest.Item]) -> None:
    """Mark the real tests, and put them behind the others."""
    for item in items:
        asks_for = FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if asks_for or place_of(item.nodeid) is not None:
            item.add_marker("real")
    items.sort(key=_turn)


def is_real(item: pytest.Item) -> bool:
    """Whether a test may open sockets and start processes."""
    return item.get_closest_marker("real") is not None


def is_left_out(path: str, markexpr: str, lane: Lane) -> bool:
    """Whether a process need not import a file, because it runs none of its tests.

    Args:
        path: Its path in the repository.
        markexpr: What follows `-m`.
        lane: What the process runs, where nothing follows `-m`.
    """
    if not path.rpartition("/")[2].startswith("test_"):
        return False
    place = place_of(path)
    if markexpr == "not real":
        return place is not None
    if markexpr == "real" or (not markexpr and lane is Lane.REAL):
        return place is None and not path.startswith(IN_PART)
    return False


def _turn(item: pytest.Item) -> tuple[int, int]:
    if is_real(item):
        place = place_of(item.nodeid)
        return 1, -1 if place is None else place
    return 0, 0 if item.nodeid.startswith(LONG_COMPUTED) else 1


def lane_of(worker: str, processes: int) -> Lane:
    """What a process runs, if there are tests of both lanes.

    Args:
        worker: Its name, as xdist gives it: "gw0" and so on. One that replaces a process that died
            has a number beyond the others, and runs whatever is left.
        processes: How many there were at first.
    """
    number = int(worker.removeprefix("gw"))
    if processes <= AT_ONCE or number >= processes:
        return Lane.BOTH
    return Lane.COMPUTED if number < processes - AT_ONCE else Lane.REAL


REAL = " (real)"
"""What ends the name of a real test in the eyes of the scheduler, which has nothing but names."""


@contextmanager
def names_tell_lanes(items: Sequence[pytest.Item]) -> Iterator[None]:
    """While the names of the tests are sent to the scheduler."""
    ids = {item: item._id for item in items if is_real(item)}
    for item in ids:
        item._id = coerce_node_id(item.nodeid + REAL)
    try:
        yield
    finally:
        for item, own in ids.items():
            item._id = own


def give_way(items: Sequence[pytest.Item], worker: str, processes: int) -> None:
    """Lower the priority of this process for ever, if it computes while others run real tests."""
    if lane_of(worker, processes) is Lane.COMPUTED and 0 < sum(map(is_real, items)) < len(items):
        os.nice(LOWEST_PRIORITY)


class LaneScheduling(LoadScopeScheduling):
    """Gives each process what its lane has: a whole file of tests that compute, for they share what
    they have lived; and the real tests of `PLACES` one by one, for most of them wait.
    """

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.endswith(REAL):
            return nodeid.partition("::")[0]
        return nodeid if place_of(nodeid) is not None else nodeid.partition("::")[0] + REAL

    def schedule(self) -> None:
        """Give out the tests, at first those of the process that knows the most: all of them."""
        if self.collection is None:
            known = self.registered_collections.items()
            self.registered_collections = dict(sorted(known, key=lambda each: -len(each[1])))
        super().schedule()

    def _check_nodes_have_same_collection(self) -> bool:
        """Whether each process knows the tests of its lane, which is all of them for most."""
        everything, *others = map(set, self.registered_collections.values())
        if not all(known <= everything for known in others):
            return super()._check_nodes_have_same_collection()
        real = {nodeid for nodeid in everything if nodeid.endswith(REAL)}
        missing = {nodeid.partition("::")[0] for known in others for nodeid in real - known}
        if missing:
            problem = f"expected files with real tests in IN_PART, got others: {sorted(missing)}"
            report = pytest.CollectReport("tests/lanes.py", "failed", problem, [])
            self.config.hook.pytest_collectreport(report=report)
        return not missing

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Take the next one of the process's lane. A process whose lane has no more, ends."""
        for scope in self.workqueue:
            if self._may_run(node, scope):
                self.workqueue.move_to_end(scope, last=False)
                super()._assign_work_unit(node)
                return
        node.shutdown()

    def _may_run(self, node: WorkerController, scope: str) -> bool:
        lane = lane_of(node.gateway.id, self.numnodes) if self._both_lanes else Lane.BOTH
        its = lane is Lane.BOTH or (lane is Lane.REAL) == scope.endswith(REAL)
        return its and next(iter(self.workqueue[scope])) in self._known(node)

    def _known(self, node: WorkerController) -> frozenset[str]:
        if node not in self._sets:
            self._sets[node] = frozenset(self.registered_collections[node])
        return self._sets[node]

    @cached_property
    def _sets(self) -> dict[WorkerController, frozenset[str]]:
        return {}

    @cached_property
    def _both_lanes(self) -> bool:
        return len({nodeid.endswith(REAL) for nodeid in self.collection or ()}) == 2


def watch() -> None:
    """Begin to listen for what is forbidden; once in a process."""
    sys.addaudithook(GUARD.audit)
