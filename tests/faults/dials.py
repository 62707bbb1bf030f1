"""Calls that must not be placed, drawn from a seed: each breaks one rule, and is known to.

What a number is comes from the examples of Google's metadata, one of each kind and country, and
what time it is from the standard library. So whether a call is lawful is not asked of our rules.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from agent.persona.hours import parse
from agent.persona.outbound import Outbound
from telephony.dialling.do_not_call import DoNotCall
from telephony.dialling.request import Wish

OURS = "+14155550199"
REGIONS = frozenset({"US", "DE", "GB", "AU"})
OPENS, CLOSES = 9, 20
POLICY = Outbound(OURS, REGIONS, parse(f"{OPENS:02}:00-{CLOSES}:00"))
LISTED = DoNotCall(frozenset({"+14155550177", "+4915112345678"}), ("+1212555",))

LAWFUL = {
    "+14155550123": ("America/Los_Angeles",),
    "+13125550123": ("America/Chicago",),
    "+4930123456": ("Europe/Berlin",),
    "+442079460123": ("Europe/London",),
    "+61412345678": ("Indian/Cocos", "Australia/Perth", "Australia/Sydney", "Australia/Lord_Howe"),
}
"""Numbers that may be called, and the time zones, from west to east, in which they may be."""

DEAR = (
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)
LINES = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.VOIP)
NO_COUNTRY = (800, 808, 870, 878, 881, 882, 883, 888, 979)


@dataclass(frozen=True, slots=True)
class Dial:
    """A call that somebody wants.

    Args:
        rule: The rule that it breaks; "" for a lawful one.
        wish: What is asked for.
        wall_time_ms: When.
    """

    rule: str
    wish: Wish
    wall_time_ms: int


def lawful(random: Random) -> Dial:
    """A call that may be placed."""
    to = random.choice(list(LAWFUL))
    return Dial("", Wish(to, "Ada", "web form"), _time(random, LAWFUL[to], within=True))


def illegal(random: Random) -> Dial:
    """A call that may not."""
    return random.choice(KINDS)(random)


def _no_number(random: Random) -> Dial:
    digits = "".join(random.choice("0123456789") for _ in range(random.randint(0, 18)))
    good = "+14155550123"  # of a plan in which every number is as long
    to = random.choice(
        [
            *(digits, f"+{digits}"[:3], f"+0{digits}", f"00{good[1:]}", good[1:], f"{good} "),
            *(f" {good}", good + "x1", f"{good};ext=9", f"tel:{good}", f"sip:{good}@example.com"),
            *(f"client:{good}", good[:-3], good + "0000", good.replace("5", "\u0665"), "911"),
            *(
                "112",
                "+911",
                "+112",
                "anonymous",
                "",
                f"{good},{good}",
                f"+{good}",
                good + "\u200b",
            ),
            *(f"{good[:4]}-{good[4:]}", OURS, "+1" + "1" * 10, "+1911" + "5" * 7, "+266696687"),
        ]
    )
    return Dial("number", Wish(to, "Ada", "web form"), _noon(random))


def _elsewhere(random: Random) -> Dial:
    while True:
        region = random.choice(sorted(phonenumbers.SUPPORTED_REGIONS - REGIONS))
        number = phonenumbers.example_number_for_type(region, random.choice((*LINES, *DEAR)))
        if number is None or phonenumbers.region_code_for_number(number) != region:
            continue
        if len(to := _text(number)) > 7:  # shorter ones are of one network, and not in E.164
            return Dial("region", Wish(to, "Ada", "web form"), _noon(random))


def _of_no_country(random: Random) -> Dial:
    number = phonenumbers.example_number_for_non_geo_entity(random.choice(NO_COUNTRY))
    assert number is not None
    return Dial("region", Wish(_text(number), "Ada", "web form"), _noon(random))


def _dear(random: Random) -> Dial:
    while True:
        kind, region = random.choice(DEAR), random.choice(sorted(REGIONS))
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None and phonenumbers.number_type(number) == kind:
            return Dial("type", Wish(_text(number), "Ada", "web form"), _noon(random))


def _listed(random: Random) -> Dial:
    in_new_york = f"+1212555{random.randint(0, 9999):04}"
    to = random.choice(["+14155550177", "+4915112345678", in_new_york])
    return Dial("do_not_call", Wish(to, "Ada", "web form"), _noon(random))


def _not_agreed(random: Random) -> Dial:
    to = random.choice(list(LAWFUL))
    consent = random.choice(["", " ", "   ", "\u2003"])
    return Dial("consent", Wish(to, "Ada", consent), _time(random, LAWFUL[to], within=True))


def _too_early_or_late(random: Random) -> Dial:
    to = random.choice(list(LAWFUL))
    return Dial("hours", Wish(to, "Ada", "web form"), _time(random, LAWFUL[to], within=False))


KINDS: tuple[Callable[[Random], Dial], ...] = (
    _no_number,
    _elsewhere,
    _of_no_country,
    _dear,
    _listed,
    _not_agreed,
    _too_early_or_late,
)


def _times(random: Random) -> Iterator[datetime]:
    """Minutes of five years, with all their changes of the clock."""
    while True:
        yield datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(5 * 525_600))


def _time(random: Random, zones: tuple[str, ...], *, within: bool) -> int:
    """A time at which it is within the hours in all these zones, or else outside them in one."""
    for at in _times(random):
        there = [at.astimezone(ZoneInfo(zone)) for zone in zones]
        if all(OPENS <= each.hour < CLOSES for each in there) is within:
            return int(at.timestamp() * 1000)
    raise AssertionError("there are times without end")


def _noon(random: Random) -> int:
    return _time(random, ("America/Los_Angeles",), within=True)


def _text(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
