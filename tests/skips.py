"""The last lines of a test run: which tests were skipped, and what to install to run them."""

from collections import Counter
from collections.abc import Iterable

import pytest


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print them. The workers of pytest-xdist have no terminal, and their reports come here."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and (skipped := terminal.stats.get("skipped")):
        terminal.section(f"{len(skipped)} skipped", yellow=True)
        for line in lines(skipped):
            terminal.write_line(line)


def lines(skipped: Iterable[pytest.TestReport]) -> list[str]:
    """One line for each reason, and below it one for each test, without its parameters."""
    tests: dict[str, Counter[str]] = {}
    for report in skipped:
        assert isinstance(report.longrepr, tuple)  # file, line and reason
        reason = report.longrepr[2].removeprefix("Skipped: ")
        tests.setdefault(reason, Counter())[report.nodeid.partition("[")[0]] += 1
    told: list[str] = []
    for reason, names in sorted(tests.items()):
        told.append(f"{reason}:")
        for name, times in names.items():
            told.append(f"  {name} ({times})" if times > 1 else f"  {name}")
    return told
