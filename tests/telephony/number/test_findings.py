"""How checks depend on each other, and what they may say."""

from telephony.errors import UsageError
from telephony.number.findings import Check, Finding, NotNow, Unwell, examine


async def well() -> str:
    return "fine"


async def unwell() -> str:
    raise Unwell("broken", "mend it")


async def nothing() -> str:
    raise NotNow("there is none")


async def misused() -> str:
    raise UsageError("expected this, got that; do so")


async def test_each_check_has_one_finding_in_their_order() -> None:
    checks = [
        Check("a", (), well),
        Check("b", ("a",), unwell),
        Check("c", ("a",), nothing),
        Check("d", (), misused),
    ]
    assert await examine(checks) == [
        Finding("a", "ok", "fine"),
        Finding("b", "failed", "broken", "mend it"),
        Finding("c", "skipped", "there is none"),
        Finding("d", "failed", "expected this, got that; do so"),
    ]


async def test_what_needs_something_unwell_is_not_made() -> None:
    checks = [
        Check("a", (), unwell),
        Check("b", (), nothing),
        Check("c", ("a", "b"), misused),
        Check("d", ("c",), misused),
    ]
    assert (await examine(checks))[2:] == [
        Finding("c", "skipped", "not checked, because it needs a and b to succeed first"),
        Finding("d", "skipped", "not checked, because it needs c to succeed first"),
    ]
