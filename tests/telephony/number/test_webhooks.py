"""A number's webhooks, as they are and as they should be."""

import pytest

from telephony.errors import UsageError
from telephony.number.webhooks import (
    FIELDS,
    GROUPS,
    Change,
    Number,
    changes,
    e164,
    is_linked,
    is_outdated,
    ours,
)

URL = "https://voice.example.com/prefix"
RETRIES = "#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"


def number(**webhooks: str) -> Number:
    return Number("PN1", "+14155550199", "Front desk", {**dict.fromkeys(FIELDS, ""), **webhooks})


def test_a_linked_number_calls_the_public_url_by_post() -> None:
    assert ours(URL) == {
        "voice_url": f"{URL}/twilio/voice{RETRIES}",
        "voice_method": "POST",
        "voice_fallback_url": f"{URL}/twilio/voice{RETRIES}",
        "voice_fallback_method": "POST",
        "status_callback": f"{URL}/twilio/status{RETRIES}",
        "status_callback_method": "POST",
    }


def test_only_what_differs_is_a_change() -> None:
    assert changes(number(**ours(URL)), ours(URL)) == []
    [change] = changes(number(**ours(URL) | {"voice_method": "GET"}), ours(URL))
    assert change == Change("voice_method", "GET", "POST")
    assert str(change) == "voice method: GET -> POST"


def plain() -> dict[str, str]:
    """As an earlier release linked a number."""
    return {field: value.partition("#")[0] for field, value in ours(URL).items()}


def test_a_number_is_linked_however_twilio_is_told_to_ask_again() -> None:
    assert is_linked(number(**ours(URL)), URL)
    assert not is_outdated(number(**ours(URL)), URL)
    earlier = number(**plain())
    assert is_linked(earlier, URL)
    assert is_outdated(earlier, URL)
    assert {change.field for change in changes(earlier, ours(URL))} == {
        *("voice_url", "voice_fallback_url", "status_callback")
    }
    by_hand = number(**ours(URL) | {"voice_url": f"{URL}/twilio/voice#rc=5"})
    assert is_outdated(by_hand, URL)


@pytest.mark.parametrize(
    "differs",
    [
        {"voice_url": "https://other.example.com/twilio/voice"},
        {"voice_method": "GET"},
        {"status_callback": ""},
    ],
)
def test_a_number_that_calls_another_address_is_not_linked(differs: dict[str, str]) -> None:
    other = number(**ours(URL) | differs)
    assert not is_linked(other, URL)
    assert not is_outdated(other, URL)


def test_a_voice_application_or_a_trunk_shadows_the_url() -> None:
    assert number(**ours(URL)).shadow == ""
    assert number(voice_application_sid="AP1").shadow == "voice application AP1"
    assert number(trunk_sid="TK1").shadow == "trunk TK1"


def test_every_field_belongs_to_one_group() -> None:
    grouped = [field for addresses, methods in GROUPS for field in (*addresses, *methods)]
    assert sorted(grouped) == sorted(FIELDS)


@pytest.mark.parametrize("text", ["+14155550199", "+1 (415) 555-0199", "+1.415.555.0199"])
def test_a_number_may_be_written_for_people(text: str) -> None:
    assert e164(text) == "+14155550199"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "4155550199",
        "0014155550199",
        "+04155550199",
        "+1415",
        "+1415555O199",
        "+1234567890123456",
        "+1\u0664155550199",
    ],
)
def test_what_is_no_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as \+14155550199, got "):
        e164(text)
