"""`offhook doctor`: runs the checks and prints one line for each, with a fix if it failed."""

import json
from dataclasses import asdict

import typer

from telephony.number.checks import Checkup
from telephony.number.findings import examine
from telephony.number.webhooks import e164

COLOURS = {"ok": typer.colors.GREEN, "failed": typer.colors.RED, "skipped": typer.colors.YELLOW}


async def examine_and_print(phone_number: str | None, *, as_json: bool) -> int:
    """Run all checks and print their results.

    Args:
        phone_number: The number that must call the server; None for any number of the account.
        as_json: Print one JSON array of the findings.

    Returns:
        The exit code: 0 if nothing failed, 1 if a check did, 2 if the settings cannot be used.

    Raises:
        UsageError: `phone_number` is not a number.
    """
    async with Checkup(None if phone_number is None else e164(phone_number)) as checkup:
        findings = await examine(checkup.checks())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            outcome = typer.style(f"{finding.outcome:<8}", fg=COLOURS[finding.outcome])
            fix = f"; fix: {finding.fix}" if finding.fix else ""
            typer.echo(f"{outcome} {finding.check:<11} {finding.detail}{fix}")
    failed = [finding.check for finding in findings if finding.outcome == "failed"]
    return 2 if "settings" in failed else bool(failed)
