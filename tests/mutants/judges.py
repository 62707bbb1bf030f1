"""The judges that must catch a planted bug.

Recorded calls judge it first, and worlds if they see nothing. If a patch names tests, these judge
it: recorded calls cannot see bugs of sockets, the store or the connection to the model.

Only a difference in the results counts. A crash or a hang would be noticed without any judge.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.mutants.worlds import SEEN

CALLS = "fixtures/calls"

TIMEOUT_S = 200
"""Of one judge, and of one test. A mutant may loop for ever."""

HUNG = "Timeout (>"
"""What pytest-timeout says."""

_PASSED, _FAILED = 0, 1
"""pytest's exit codes; every other one says that it could not run the tests."""


class CrashError(Exception):
    """The code did not run to its end."""


class _Verdict(msgspec.Struct):
    """What is needed of one in `offhook replay --json`."""

    path: str
    passed: bool
    error: str
    bug: str
    broken: list[str]
    difference: dict[str, object] | None

    @property
    def what(self) -> str:
        line = f"expect.jsonl:{self.difference['line']}" if self.difference else ""
        return f"{Path(self.path).name}, {self.broken[0] if self.broken else line}"


def seen(copy: Path, tests: Sequence[str] = ()) -> str:
    """What the judges see in a copy of the tree; "" if nothing.

    Args:
        copy: The copy's root.
        tests: Which tests judge alone; without any, recorded calls and worlds.

    Raises:
        CrashError: The copy's code failed.
    """
    return by_tests(copy, tests) if tests else by_replays(copy) or by_worlds(copy)


def by_tests(copy: Path, tests: Sequence[str]) -> str:
    """The first of these tests that fails; as `seen`."""
    options = ("-p", "no:cacheprovider", "-n", "0", "-x", "-q", "--tb=short", "-rfE", "--color=no")
    limit_s = TIMEOUT_S * len(tests)
    code, printed = _run(copy, "pytest", *options, *tests, timeout_s=limit_s)
    if code == _PASSED:
        return ""
    lines = printed.strip().splitlines()
    if code != _FAILED or HUNG in printed:
        raise CrashError(f"pytest ended with {code}: {lines[-1] if lines else ''}")
    return next(line for line in lines if line.startswith(("FAILED tests", "ERROR tests")))


def by_replays(copy: Path, calls: str = "*") -> str:
    """How `offhook replay` differs, of the recorded calls of which the names match; as `seen`."""
    found = sorted(str(path) for path in (copy / CALLS).glob(f"{calls}.call"))
    code, printed = _run(copy, "telephony", "replay", *found, "--json", "--jobs", "1")
    if code not in {0, 1}:
        raise CrashError(f"offhook replay ended with {code}: {printed.strip()}")
    verdicts = msgspec.json.decode(printed, type=list[_Verdict])
    for verdict in verdicts:
        if failed := verdict.error or verdict.bug:
            raise CrashError(f"{verdict.path}: {failed}")
    different = [verdict for verdict in verdicts if not verdict.passed]
    if not different:
        return ""
    # What a person expected tells more than a line of the golden does.
    first = max(different, key=lambda verdict: bool(verdict.broken))
    return f"{len(different)} of {len(verdicts)} calls: {first.what}"


def by_worlds(copy: Path) -> str:
    """The first difference of a world that is lived; as `seen`."""
    code, printed = _run(copy, "tests.mutants.worlds")
    if code not in {0, SEEN}:
        raise CrashError(f"the worlds ended with {code}: {printed.strip()}")
    return f"worlds: {printed.strip()}" if code else ""


def _run(copy: Path, module: str, *arguments: str, timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
    """Run a module of the copy. Returns its exit code and what it printed; of a crash, the end."""
    command: Sequence[str] = (sys.executable, "-m", module, *arguments)
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command, cwd=copy, capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise CrashError(f"{module} still ran after {timeout_s} s") from None
    if "Traceback" in done.stderr:
        raise CrashError(done.stderr.strip().splitlines()[-1])
    return done.returncode, done.stdout or done.stderr
