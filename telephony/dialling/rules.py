"""The rules that a call must keep before it is placed, and which of them refuses it. Pure.

The rules are asked in the order of `Rule`; the first that refuses is named. The last two are
counted in the store, because calls may race.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from agent.persona.hours import Interval, local
from agent.persona.outbound import Outbound
from telephony.dialling.do_not_call import DoNotCall
from telephony.dialling.numbers import Kind, Number, look_up
from telephony.dialling.request import Wish

CALLED_KINDS = frozenset({Kind.FIXED_LINE, Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP})
"""Lines of persons. The others cost more, or are of services, or nobody is there."""


class Rule(StrEnum):
    """The rules."""

    NUMBER = "number"
    """It is a telephone number that can exist, in E.164, and not the agent's own."""

    REGION = "region"
    """It is of one of the countries that the agent may call."""

    TYPE = "type"
    """It is the line of a person, fixed, mobile or over the internet: no premium rate, for one."""

    DO_NOT_CALL = "do_not_call"
    """It is neither on the list of numbers that are never called, nor `blocked`."""

    CONSENT = "consent"
    """It is recorded when and how the person agreed to be called."""

    HOURS = "hours"
    """It is within the hours, in every time zone in which the number may be."""

    BUDGET = "budget"
    """The day's money suffices for its first minute, by `usd_per_day` and `usd_per_caller_day`."""

    PER_NUMBER_DAY = "per_number_day"
    """The number was not called as often as is allowed in this day of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not placed.

    Args:
        rule: The rule that refuses it.
        why: What was expected, what came, and what to do. It names no person's number.
    """

    rule: Rule
    why: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """A call that keeps every rule but the last two.

    Args:
        number: Whom to call.
        day: The day there, such as ``2026-11-30``, by which calls are counted.
    """

    number: Number
    day: str


def decide(
    wish: Wish, policy: Outbound, listed: DoNotCall, wall_time_ms: int, *, blocked: bool = False
) -> Allowed | Refusal:
    """Whether a call may be placed now.

    Args:
        wish: The call.
        policy: What the agent may do.
        listed: The numbers that are never called.
        wall_time_ms: Unix time, in ms.
        blocked: Whether the agent refuses this number's own calls.
    """
    number = look_up(wish.to)
    if number is None or number.e164 == policy.ours:
        return Refusal(
            Rule.NUMBER,
            "expected a telephone number that can exist, in E.164 such as +14155550123, and not "
            "the agent's own; begin with + and the country code, and leave out spaces",
        )
    if number.region not in policy.regions:
        came = number.region or "a number of no country"
        return Refusal(
            Rule.REGION,
            f"expected a number of {', '.join(sorted(policy.regions))}, got one of {came}; "
            "`regions` of [outbound] says which countries the agent may call",
        )
    if number.kind not in CALLED_KINDS:
        return Refusal(
            Rule.TYPE,
            f"expected a fixed line, a mobile or an internet telephone, got {number.kind}",
        )
    if blocked or number.e164 in listed:
        return Refusal(
            Rule.DO_NOT_CALL, "the number is on the list of numbers that are never called"
        )
    if not wish.consent.strip():
        return Refusal(
            Rule.CONSENT,
            "expected `consent`: when and how the person agreed to be called, such as "
            '"web form of 30 November 2026"; it is stored with the call',
        )
    if (refusal := _too_early_or_late(number, policy.hours, wall_time_ms)) is not None:
        return refusal
    return Allowed(number, local(wall_time_ms, number.zones[0]).date().isoformat())


def too_dear(of: Literal["caller", "day"]) -> Refusal:
    """The refusal of a call for which there is no money today.

    Args:
        of: Whose cap does not allow it.
    """
    if of == "day":
        key, whose = "usd_per_day", "all calls"
    else:
        key, whose = "usd_per_caller_day", "the number"
    return Refusal(
        Rule.BUDGET,
        f"what `{key}` allows for {whose} today does not suffice for the first minute of a call; "
        "call tomorrow, or allow more",
    )


def too_often(policy: Outbound) -> Refusal:
    """The refusal of a call beyond the last rule."""
    return Refusal(
        Rule.PER_NUMBER_DAY,
        f"the number was called {policy.per_number_day} time(s) today, as `per_number_day` of "
        "[outbound] allows; call it tomorrow",
    )


def _too_early_or_late(
    number: Number, hours: tuple[Interval, ...], wall_time_ms: int
) -> Refusal | None:
    if not number.zones:
        return Refusal(Rule.HOURS, "nobody knows what time it is where this number is")
    for zone in number.zones:
        at = local(wall_time_ms, zone)
        if not _within(at, hours):
            allowed = ", ".join(f"{_clock(begins)}-{_clock(ends)}" for begins, ends in hours)
            return Refusal(
                Rule.HOURS,
                f"expected a time within {allowed} where the number is, got {at:%H:%M} "
                f"({zone}); `hours` of [outbound] says when the agent may call",
            )
    return None


def _within(at: datetime, hours: tuple[Interval, ...]) -> bool:
    minute = at.hour * 60 + at.minute
    return any(begins <= minute < ends for begins, ends in hours)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
