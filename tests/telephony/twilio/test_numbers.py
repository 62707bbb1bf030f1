import pytest

from telephony.twilio.numbers import caller_id, is_number, parties

CALLED = "+14155550199"
NO_NUMBERS = ["client:alice", "sip:bob@example.com", "anonymous", "", "4155550123", "+266696687"]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_withheld_or_not_in_e164_is_no_number(text: str) -> None:
    assert is_number(CALLED)
    assert not is_number(text)


@pytest.mark.parametrize("calling", NO_NUMBERS)
def test_a_transfer_shows_the_called_number_for_a_caller_without_one(calling: str) -> None:
    assert caller_id(CALLED, calling) == CALLED
    assert caller_id("sip:us@example.com", calling) is None
    assert caller_id(CALLED, "+14155550123") is None


@pytest.mark.parametrize("direction", ["outbound-api", "outbound-dial"])
def test_the_other_party_of_a_call_that_we_placed_is_who_was_called(direction: str) -> None:
    form = {"From": "+14155550199", "To": "+14155550123"}
    assert parties(form | {"Direction": direction}) == ("+14155550199", "+14155550123")
    assert parties(form | {"Direction": "inbound"}) == ("+14155550123", "+14155550199")
    assert parties({"From": "+14155550123"}) == ("", "+14155550123")
