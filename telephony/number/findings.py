"""The results of the doctor's checks, and the order in which the checks run. Pure.

A check returns what it found if all is well. If not, it raises `Unwell` or an `OffhookError`, whose
message says how to fix it. It raises `NotNow` if there is nothing to check. A check runs only if
all checks that it needs have succeeded.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from telephony.errors import OffhookError

type Outcome = Literal["ok", "failed", "skipped"]


class Unwell(Exception):  # noqa: N818 - what was found, not an error of the doctor
    """A check failed.

    Args:
        detail: What was expected, and what came.
        fix: How to solve it.
    """

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail, self.fix = detail, fix


class NotNow(Exception):  # noqa: N818 - as above
    """There is nothing to check; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        check: The name of the check.
        outcome: The kind of result.
        detail: What the check found, in a few words.
        fix: How to solve a failure; "" if `detail` says that too.
    """

    check: str
    outcome: Outcome
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, the checks that it needs, and the function that runs it."""

    name: str
    needs: tuple[str, ...]
    make: Callable[[], Awaitable[str]]


async def examine(checks: Iterable[Check]) -> list[Finding]:
    """Run the checks one after the other. Returns one finding for each.

    Args:
        checks: The checks, each after those that it needs.
    """
    found: list[Finding] = []
    for check in checks:
        well = {finding.check for finding in found if finding.outcome == "ok"}
        missing = [name for name in check.needs if name not in well]
        if missing:
            detail = f"not checked, because it needs {' and '.join(missing)} to succeed first"
            found.append(Finding(check.name, "skipped", detail))
            continue
        try:
            found.append(Finding(check.name, "ok", await check.make()))
        except Unwell as unwell:
            found.append(Finding(check.name, "failed", unwell.detail, unwell.fix))
        except NotNow as reason:
            found.append(Finding(check.name, "skipped", str(reason)))
        except OffhookError as error:
            found.append(Finding(check.name, "failed", str(error)))
    return found
