"""Text messages: what Twilio takes, shows, and tells of them."""

import json
from base64 import b64encode

import pytest

from telephony.simulator.rest import RestAccount, RestAnswer, RestRequest
from telephony.simulator.rest_calls import Wrong
from telephony.simulator.rest_faults import read_rest_faults
from telephony.simulator.rest_messages import (
    SentMessage,
    callback_params,
    read_message,
    segments,
)

OURS, THEIRS = "+14155550199", "+14155550123"
SERVICE = "MG" + "a" * 32
FORM = {"To": THEIRS, "From": OURS, "Body": "Your table is booked."}
PATH = "/2010-04-01/Accounts/AC1/Messages"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "4155550123"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "+14155550100"}, 21606),
        ({"MessagingServiceSid": "MG1"}, 21701),
        ({"StatusCallback": "voice.example.com"}, 21609),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1_601}, 21617),
        ({"To": "+14155550111"}, 21610),
        ({"To": "+14155550112"}, 21614),
    ],
)
def test_what_twilio_does_not_send_is_refused(form: dict[str, str], code: int) -> None:
    refused = read_message(
        FORM | form, frozenset({OURS}), frozenset({"+14155550111"}), frozenset({"+14155550112"})
    )
    assert isinstance(refused, Wrong)
    assert refused.code == code


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 158 + "€", 1),
        ("x" * 159 + "€", 2),
        ("…" * 70, 1),
        ("…" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_a_text_is_sent_in_parts(body: str, parts: int) -> None:
    assert segments(body) == parts


def test_a_messages_callback_has_twilios_fields_and_an_error_where_there_is_one() -> None:
    sent = read_message(FORM, frozenset({OURS}), frozenset())
    assert isinstance(sent, SentMessage)
    params = callback_params(sent.became("undelivered", 30_003), "AC1")
    assert (params["MessageStatus"], params["ErrorCode"]) == ("undelivered", "30003")
    assert params["MessageSid"] == params["SmsSid"] == sent.sid
    assert "ErrorCode" not in callback_params(sent.became("delivered"), "AC1")


def ask(account: RestAccount, method: str, path: str, **form: str) -> RestAnswer:
    authorized = "Basic " + b64encode(b"AC1:token").decode()
    got = account.answer(RestRequest(method, path, {}, form, authorized))
    assert isinstance(got, RestAnswer)
    return got


def test_messages_are_shown_with_their_status_and_refused_with_any_of_twilios_errors() -> None:
    account = RestAccount("AC1", "token")
    account.add(OURS)
    first, second = (json.loads(ask(account, "POST", f"{PATH}.json", **FORM).body)["sid"]
                     for _ in range(2))  # fmt: skip
    account.show(account.messages[0].became("delivered"))
    shown = json.loads(ask(account, "GET", f"{PATH}/{first}.json").body)
    assert (shown["status"], shown["error_code"], shown["num_segments"]) == ("delivered", None, "1")
    listed = json.loads(ask(account, "GET", f"{PATH}.json").body)["messages"]
    assert [(each["sid"], each["status"]) for each in listed] == [
        (second, "queued"),
        (first, "delivered"),
    ]
    assert ask(account, "GET", f"{PATH}/SM9.json").status == 404
    served = FORM | {"From": "", "MessagingServiceSid": SERVICE}
    assert json.loads(ask(account, "POST", f"{PATH}.json", **served).body)["status"] == "accepted"
    account.faults_of += read_rest_faults(["message=21408"])
    refused = ask(account, "POST", f"{PATH}.json", **FORM)
    assert (refused.status, json.loads(refused.body)["code"]) == (400, 21408)
