"""How a post is signed: checked with the example of Standard Webhooks' specification."""

import pytest

from telephony.server.delivery import Delivery, key_of, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'


def test_a_signature_is_that_of_the_specification_s_example() -> None:
    signed = signature(key_of(SECRET), MESSAGE_ID, 1614265330, BODY)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_may_be_any_text() -> None:
    assert key_of("any text") == b"any text"


def test_an_address_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ValueError, match="WEBHOOK_URL"):
        Delivery("https://example.com:port/", "secret")
