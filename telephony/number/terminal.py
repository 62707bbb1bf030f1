"""Prints numbers in the terminal: where their calls go, and what links and unlinks change."""

import typer

from telephony.number.account import Account
from telephony.number.linking import Plan, carry_out, plan_link, plan_unlink
from telephony.number.memory import Memory
from telephony.number.webhooks import FIELDS, Number, e164, is_linked, is_outdated
from telephony.settings import NumberSettings


def list_numbers(settings: NumberSettings) -> None:
    """Print each number of the account, and where its calls go."""
    for number in Account(settings).numbers():
        typer.echo(f"{number.phone_number}  {standing(number, settings.public_url)}")


def show(settings: NumberSettings, phone_number: str) -> None:
    """Print all webhooks of one number."""
    number = Account(settings).number(e164(phone_number))
    typer.echo(f"{number.phone_number} ({number.friendly_name}, {number.sid})")
    for field, words in FIELDS.items():
        typer.echo(f"  {words}: {number.webhooks[field] or '(none)'}")
    typer.echo(f"  {standing(number, settings.public_url)}")
    memory = Memory(settings.state_dir)
    if memory.recall(number) is not None:
        typer.echo(f"  previous webhooks: {memory.path(number)}")


def link(settings: NumberSettings, phone_number: str, *, dry_run: bool, force: bool) -> bool:
    """Link a number and print the changes; with `dry_run` only print them.

    Returns:
        Whether calls then reach the server. They do not if a voice application or trunk answers.
    """
    wanted = e164(phone_number)
    account, memory = Account(settings), Memory(settings.state_dir)
    number = account.number(wanted)
    plan = plan_link(number, memory, settings.public_url, force=force)
    if not dry_run:
        number = carry_out(plan, account, memory)
    _tell(plan, dry_run=dry_run)
    if plan.changes and not dry_run:
        typer.echo(
            f"previous webhooks: {memory.path(number)}; `offhook number unlink` restores them"
        )
    if force or not number.shadow:
        return True
    typer.echo(
        f"warning: the {number.shadow} of {number.phone_number} answers instead of the voice URL; "
        "link with --force, or take the number out of it in the Twilio Console",
        err=True,
    )
    return False


def unlink(settings: NumberSettings, phone_number: str, *, dry_run: bool) -> None:
    """Unlink a number and print the changes; with `dry_run` only print them."""
    wanted = e164(phone_number)
    account, memory = Account(settings), Memory(settings.state_dir)
    plan = plan_unlink(account.number(wanted), memory)
    if not dry_run:
        carry_out(plan, account, memory)
    _tell(plan, dry_run=dry_run)
    for field in plan.kept:
        typer.echo(
            f"warning: the {FIELDS[field]} was changed since it was linked, and stays as it is",
            err=True,
        )


def standing(number: Number, public_url: str) -> str:
    """Where a number's calls go, in a few words."""
    if number.shadow:
        return f"calls go to {number.shadow}"
    if not is_linked(number, public_url):
        return f"calls go to {number.webhooks['voice_url'] or 'nobody'}"
    if is_outdated(number, public_url):
        return "linked, but Twilio does not repeat failed requests as it should; link it again"
    return "linked"


def _tell(plan: Plan, *, dry_run: bool) -> None:
    what = "would change" if dry_run else "changed"
    typer.echo(f"{plan.number.phone_number}: {what if plan.changes else 'nothing to change'}")
    for change in plan.changes:
        typer.echo(f"  {change}")
