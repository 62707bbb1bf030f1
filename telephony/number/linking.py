"""Links a number, and restores what it had. A plan comes first, so that a dry run can show it."""

from dataclasses import dataclass

from telephony.errors import UsageError
from telephony.number.account import Account
from telephony.number.memory import Memory, Remembered, merged
from telephony.number.webhooks import SHADOWS, Change, Number, changes, ours


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned changes to a number.

    Args:
        number: The number as it is.
        changes: The fields to set at Twilio; empty if all are right already.
        remember: What to remember before that; None to forget it afterwards.
        kept: Fields that somebody else has changed since, so that they stay as they are.
    """

    number: Number
    changes: list[Change]
    remember: Remembered | None
    kept: tuple[str, ...] = ()


def plan_link(number: Number, memory: Memory, public_url: str, *, force: bool) -> Plan:
    """Plan how to connect a number to `public_url`.

    Args:
        number: The number as it is.
        memory: The remembered numbers.
        public_url: The server's address.
        force: Also remove the voice application or trunk that would answer instead.
    """
    wanted = ours(public_url)
    if force:
        wanted |= dict.fromkeys(SHADOWS, "")
    return Plan(number, changes(number, wanted), merged(memory.recall(number), number, wanted))


def plan_unlink(number: Number, memory: Memory) -> Plan:
    """Plan how to restore what the number had before it was linked.

    Raises:
        UsageError: Nothing is remembered of it.
    """
    remembered = memory.recall(number)
    if remembered is None:
        raise UsageError(
            f"expected a number that was linked from here, got {number.phone_number}; there is no "
            f"{memory.path(number)}: set its webhooks by hand in the Twilio Console"
        )
    restored = remembered.untouched(number)
    wanted = {field: remembered.before[field] for field in restored}
    kept = tuple(field for field in remembered.before if field not in restored)
    return Plan(number, changes(number, wanted), None, kept)


def carry_out(plan: Plan, account: Account, memory: Memory) -> Number:
    """Carry out a plan. Returns the number as it is then.

    Raises:
        AccountError: Twilio did not make the change, or did not confirm it. The memory stays.
        MemoryFileError: The old values could not be saved, so nothing was changed.
    """
    if plan.remember is not None and plan.changes:
        memory.remember(plan.number, plan.remember)
    number = plan.number
    if plan.changes:
        number = account.update(number, {change.field: change.after for change in plan.changes})
    if plan.remember is None:
        memory.forget(number)
    return number
