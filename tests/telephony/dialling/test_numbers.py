"""What is known of a number, and that what is not known is not made up."""

import pytest

from telephony.dialling.numbers import Kind, look_up


@pytest.mark.parametrize(
    ("text", "region", "kind", "zones"),
    [
        ("+14155550123", "US", Kind.FIXED_LINE_OR_MOBILE, ("America/Los_Angeles",)),
        ("+18095550123", "DO", Kind.FIXED_LINE_OR_MOBILE, ("America/Santo_Domingo",)),
        ("+4915112345678", "DE", Kind.MOBILE, ("Europe/Berlin",)),
        ("+390612345678", "IT", Kind.FIXED_LINE, ("Europe/Rome",)),
        ("+881612345678", "", Kind.MOBILE, ()),
    ],
)
def test_a_number_has_its_country_its_kind_and_its_time(
    text: str, region: str, kind: Kind, zones: tuple[str, ...]
) -> None:
    number = look_up(text)
    assert number is not None
    assert (number.e164, number.region, number.kind, number.zones) == (text, region, kind, zones)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+19005550100", Kind.PREMIUM_RATE),
        ("+18005550100", Kind.TOLL_FREE),
        ("+447012345678", Kind.PERSONAL_NUMBER),
        ("+491805123456", Kind.SHARED_COST),
    ],
)
def test_a_line_that_is_dear_or_of_a_service_is_known_as_one(text: str, kind: Kind) -> None:
    number = look_up(text)
    assert number is not None
    assert number.kind is kind


def test_a_mobile_may_be_in_any_time_zone_of_its_country() -> None:
    number = look_up("+79161234567")
    assert number is not None
    assert {"Europe/Moscow", "Asia/Kamchatka"} <= set(number.zones)


@pytest.mark.parametrize(
    "text",
    [
        *("", "911", "+911", "+1911", "14155550123", "0014155550123", "+1 415 555 0123"),
        *("+14155550123 ", "+1415555012", "+141555501234", "+14155550123;ext=5", "+1415555O123"),
        *("tel:+14155550123", "sip:a@example.com", "client:a", "+" + "1" * 40, "+१४१५५५५०१२३"),
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    assert look_up(text) is None
