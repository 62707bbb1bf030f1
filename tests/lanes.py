"""The two lanes of the tests: those that compute, and those that are real.

A test is real if it opens a socket or starts a process. It takes real time, and most of it waits.
It is known by its place (`PLACES`), by what it asks for (`FIXTURES`), or by the marker `real`.
`make quick` leaves it out. `make test` runs the real tests when the others are done,
so that nothing that computes makes a call late.

Nobody has to remember this: a test that computes is stopped where it opens a socket or starts a
process, and fails.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

LONGEST = (
    "tests/end_to_end/test_recordings_on_the_wire.py",
    "tests/docs/test_readme_walk.py",
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
    "tests/harness/test_skips.py",
    "tests/agent/store/test_own_server.py",
    "tests/agent/gemini/test_guarded.py",
    "tests/agent/gemini/test_session_",
    "tests/agent/tools/test_web.py",
    "tests/agent/simulator/test_server.py",
    "tests/agent/store/test_failures.py",
    "tests/telephony/number/test_account.py",
    "tests/telephony/number/test_linking.py",
    "tests/telephony/number/test_number_check.py",
    "tests/telephony/server/test_twilio_rest.py",
    "tests/telephony/simulator/test_call.py",
    "tests/telephony/simulator/test_fallback_and_callbacks.py",
    "tests/telephony/simulator/test_moved_by_rest.py",
    "tests/telephony/simulator/test_verbs.py",
    "tests/telephony/simulator/test_proxy.py",
    "tests/telephony/simulator/test_stream.py",
)
"""Where all tests are real, in the order in which they run: the longest first."""

FIXTURES = {"redis_server"}
"""Whoever asks for one of these is real."""

LONG_COMPUTED = ("tests/worlds/", "tests/replay/", "tests/properties/", "tests/telephony/fixture/")
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


def _turn(item: pytest.Item) -> tuple[int, int]:
    place = place_of(item.nodeid)
    if place is not None:
        return 1, place
    return 0, 0 if item.nodeid.startswith(LONG_COMPUTED) else 1


class LaneScheduling(LoadScopeScheduling):
    """Gives each process a whole file of tests that compute, for they share what they have lived;
    and real tests one by one, for most of them wait.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if place_of(nodeid) is None else nodeid


def watch() -> None:
    """Begin to listen for what is forbidden; once in a process."""
    sys.addaudithook(GUARD.audit)
