"""What the operator is told of webhooks that were refused."""

import pytest
from structlog.testing import capture_logs

from telephony.server.refusals import EVERY_MS, Refusals

PUBLIC_URL = "https://voice.example.com"


def test_a_wrong_signature_is_one_warning_that_names_what_may_be_wrong_and_the_doctor() -> None:
    with capture_logs() as log:
        Refusals(PUBLIC_URL).webhook("forged signature", "/twilio/voice", 0)
    (line,) = log
    assert (line["log_level"], line["event"]) == ("warning", "webhook refused")
    assert (line["path"], line["public_url"]) == ("/twilio/voice", PUBLIC_URL)
    for name in ("PUBLIC_URL", "TWILIO_AUTH_TOKEN", "`offhook doctor`"):
        assert name in line["hint"]


def test_a_thousand_refusals_in_a_minute_are_two_warnings_that_count_them() -> None:
    refusals = Refusals(PUBLIC_URL)
    with capture_logs() as log:
        for n in range(1_000):
            refusals.webhook("no signature", "/twilio/voice", n)
        refusals.webhook("forged signature", "/twilio/voice", EVERY_MS)
    assert [line["others_since"] for line in log] == [0, 999]


@pytest.mark.parametrize("why", ["not a form", "slow", "gone", "no CallSid"])
def test_what_no_setting_can_mend_is_counted_and_not_logged(why: str) -> None:
    with capture_logs() as log:
        Refusals(PUBLIC_URL).webhook(why, "/twilio/voice", 0)
    assert log == []
