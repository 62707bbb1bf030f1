"""Each rule refuses what it is for, says so by its name, and lets everything else pass."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.persona.hours import parse
from agent.persona.outbound import Outbound
from telephony.dialling.do_not_call import NOBODY, DoNotCall
from telephony.dialling.request import Wish
from telephony.dialling.rules import Allowed, Refusal, Rule, decide, too_dear, too_often

POLICY = Outbound("+14155550199", frozenset({"US", "DE", "RU"}), parse("09:00-12:00, 13:00-20:00"))
WISH = Wish("+14155550123", "Ada", "web form")


def at(hour: int, minute: int = 0, *, day: int = 30) -> int:
    """A time in San Francisco, which is eight hours behind UTC in November."""
    there = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    return int(there.timestamp() * 1000) + 8 * 3_600_000


NOON = at(11)


def refused(
    wish: Wish = WISH,
    policy: Outbound = POLICY,
    listed: DoNotCall = NOBODY,
    now_ms: int = NOON,
    *,
    blocked: bool = False,
) -> Rule | None:
    decided = decide(wish, policy, listed, now_ms, blocked=blocked)
    if isinstance(decided, Allowed):
        return None
    assert wish.to not in decided.why, "a refusal names no person's number"
    return decided.rule


def to(number: str) -> Wish:
    return replace(WISH, to=number)


def test_a_call_that_keeps_every_rule_is_allowed_and_has_its_day() -> None:
    decided = decide(WISH, POLICY, NOBODY, at(19, 59, day=29))
    assert isinstance(decided, Allowed)
    assert (decided.number.e164, decided.day) == ("+14155550123", "2026-11-29")


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("+1212555012", Rule.NUMBER),
        ("415 555 0123", Rule.NUMBER),
        ("+14155550199", Rule.NUMBER),
        ("+18095550123", Rule.REGION),
        ("+442079460123", Rule.REGION),
        ("+881612345678", Rule.REGION),
        ("+19005550100", Rule.TYPE),
        ("+18005550100", Rule.TYPE),
        ("+491805123456", Rule.TYPE),
        ("+14155550123", None),
    ],
)
def test_a_number_that_may_not_be_called_is_refused(number: str, rule: Rule | None) -> None:
    assert refused(to(number)) is rule


def test_who_is_listed_or_blocked_is_not_called() -> None:
    for listed in (DoNotCall(frozenset({"+14155550123"})), DoNotCall(beginnings=("+1415",))):
        assert refused(listed=listed) is Rule.DO_NOT_CALL
    assert refused(blocked=True) is Rule.DO_NOT_CALL
    assert refused(listed=DoNotCall(frozenset({"+14155550124"}), ("+1416",))) is None


@pytest.mark.parametrize("consent", ["", "  ", "\t"])
def test_who_has_not_agreed_is_not_called(consent: str) -> None:
    assert refused(replace(WISH, consent=consent)) is Rule.CONSENT


@pytest.mark.parametrize(
    ("hour", "minute", "allowed"),
    [
        *((8, 59, False), (9, 0, True), (11, 59, True), (12, 0, False), (12, 59, False)),
        *((13, 0, True), (19, 59, True), (20, 0, False), (0, 0, False), (23, 59, False)),
    ],
)
def test_hours_are_those_where_the_number_is(hour: int, minute: int, *, allowed: bool) -> None:
    assert refused(now_ms=at(hour, minute)) is (None if allowed else Rule.HOURS)
    # Nine hours further east
    berlin = at(hour, minute) - 9 * 3_600_000
    assert refused(to("+4915112345678"), now_ms=berlin) is (None if allowed else Rule.HOURS)


def test_a_number_of_many_time_zones_is_called_only_within_the_hours_of_all() -> None:
    russian = to("+79161234567")
    always = replace(POLICY, hours=parse("00:00-24:00"))
    whole_day = [refused(russian, now_ms=at(hour)) for hour in range(24)]
    assert set(whole_day) == {Rule.HOURS}, "Kaliningrad and Kamchatka are ten hours apart"
    assert refused(russian, always) is None


def test_the_clock_of_summer_time_counts() -> None:
    eight_utc = int(datetime(2026, 7, 1, 7, 30, tzinfo=UTC).timestamp() * 1000)
    assert refused(to("+4915112345678"), now_ms=eight_utc) is None
    assert refused(to("+4915112345678"), now_ms=eight_utc - 3_600_000) is Rule.HOURS


def test_the_first_rule_that_refuses_is_named() -> None:
    worst = Wish("+19005550100", consent="")
    order = [Rule.REGION, Rule.TYPE, Rule.DO_NOT_CALL, Rule.CONSENT, Rule.HOURS]
    listed = DoNotCall(beginnings=("+1",))
    assert refused(worst, replace(POLICY, regions=frozenset({"DE"})), listed, at(3)) is order[0]
    assert refused(worst, POLICY, listed, at(3)) is order[1]
    wish = replace(WISH, consent="")
    assert refused(wish, POLICY, listed, at(3)) is order[2]
    assert refused(wish, POLICY, NOBODY, at(3)) is order[3]
    assert refused(WISH, POLICY, NOBODY, at(3)) is order[4]


def test_a_refusal_says_what_to_do() -> None:
    refusal = decide(WISH, POLICY, NOBODY, at(3))
    assert isinstance(refusal, Refusal)
    assert "09:00-12:00, 13:00-20:00" in refusal.why
    assert "03:00 (America/Los_Angeles)" in refusal.why
    assert too_often(replace(POLICY, per_number_day=3)).rule is Rule.PER_NUMBER_DAY
    assert "3 time(s)" in too_often(replace(POLICY, per_number_day=3)).why


def test_a_refusal_for_want_of_money_names_the_cap() -> None:
    of_all, of_one = too_dear("day"), too_dear("caller")
    assert (of_all.rule, of_one.rule) == (Rule.BUDGET, Rule.BUDGET)
    assert "`usd_per_day`" in of_all.why
    assert "`usd_per_caller_day`" in of_one.why


def test_an_agent_calls_within_the_hours_of_the_law_unless_told_otherwise() -> None:
    usual = Outbound("+14155550199", frozenset({"US"}))
    assert refused(policy=usual, now_ms=at(8)) is None
    assert refused(policy=usual, now_ms=at(7, 59)) is Rule.HOURS
    assert refused(policy=usual, now_ms=at(21)) is Rule.HOURS
    assert usual.do_not_call is None
    assert usual.per_number_day == 1
