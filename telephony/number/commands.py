"""The commands `offhook number …`. Each only parses its arguments and calls `terminal`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from telephony.settings import NumberSettings

number = typer.Typer(no_args_is_help=True, help="Show and set where calls to a number go.")

PhoneNumber = Annotated[str, typer.Argument(help="The number in E.164 form, such as +14155550199.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@number.command("list", epilog="Example: offhook number list")
def list_numbers() -> None:
    """List the numbers of the account, and where their calls go."""
    given = _settings()
    from telephony.number import terminal

    terminal.list_numbers(given)


@number.command(epilog="Example: offhook number show +14155550199")
def show(phone_number: PhoneNumber) -> None:
    """Show all webhooks of one number."""
    given = _settings()
    from telephony.number import terminal

    terminal.show(given, phone_number)


@number.command(epilog="Example: offhook number link +14155550199 --dry-run")
def link(
    phone_number: PhoneNumber,
    dry_run: DryRun = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Also remove the voice application or trunk that would answer instead. "
            "`unlink` puts it back.",
        ),
    ] = False,
) -> None:
    """Connect a number to PUBLIC_URL, and remember its previous webhooks.

    Exit code 1 means that a voice application or a trunk still answers instead.
    """
    given = _settings()
    from telephony.number import terminal

    if not terminal.link(given, phone_number, dry_run=dry_run, force=force):
        raise typer.Exit(1)


@number.command(epilog="Example: offhook number unlink +14155550199")
def unlink(phone_number: PhoneNumber, dry_run: DryRun = False) -> None:
    """Restore the webhooks that a number had before it was linked."""
    given = _settings()
    from telephony.number import terminal

    terminal.unlink(given, phone_number, dry_run=dry_run)


def _settings() -> "NumberSettings":
    from telephony.settings import NumberSettings, read

    return read(NumberSettings)
