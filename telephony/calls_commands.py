"""`offhook calls`: what is kept of calls, and its removal."""

from typing import Annotated

import typer

from telephony.errors import UsageError
from telephony.process import run
from telephony.twilio.numbers import is_number

calls = typer.Typer(
    no_args_is_help=True,
    help="Remove what is kept of calls.",
    epilog="Example: offhook calls purge --call CA0123456789abcdef0123456789abcdef",
)


@calls.callback()
def _calls() -> None:
    """Make `purge` a command below `calls`, though it is the only one."""


@calls.command(epilog="Example: offhook calls purge --caller +14155550123 --dry-run")
def purge(
    call: Annotated[str, typer.Option(help="The CallSid of the call to remove.")] = "",
    caller: Annotated[
        str, typer.Option(help="The number, such as +14155550123, whose calls to remove.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be removed.")
    ] = False,
) -> None:
    """Remove everything that is kept of a call, or of a caller.

    That is every key in Redis, and every recording in this machine's folder.
    The settings are those of the server. A call that still runs goes on, and
    writes again: purge it once more when it is over.
    """
    if bool(call) == bool(caller):
        got = "both" if call else "neither"
        raise UsageError(f"expected --call or --caller, got {got}; give one of them")
    if caller and not is_number(caller):
        raise UsageError(f"--caller: expected a number such as +14155550123, got {caller!r}")
    if call and not call.isalnum():
        raise UsageError(f"--call: expected a CallSid such as CA0123…, got {call!r}")
    from telephony.purging import purge as remove
    from telephony.settings import load

    for line in run(remove(load(), call, caller, dry_run=dry_run)):
        typer.echo(line)
