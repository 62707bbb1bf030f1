import pytest

from telephony.twilio.numbers import caller_id, is_number

CALLED = "+14155550199"
NO_NUMBERS = ["client:alice", "sip:bob@example.com", "anonymous", "", "4155550123", "+266696687"]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_withheld_or_not_in_e164_is_no_number(text: str) -> None:
    assert is_number(CALLED)
    assert not is_number(text)


@pytest.mark.parametrize("calling", NO_NUMBERS)
def test_a_transfer_shows_the_called_number_for_a_caller_without_one(calling: str) -> None:
    assert caller_id(calling, CALLED) == CALLED
    assert caller_id(calling, "sip:us@example.com") is None
    assert caller_id("+14155550123", CALLED) is None
