"""The simulated REST API keeps Twilio's rules."""

import json
from base64 import b64encode

import pytest

from telephony.errors import UsageError
from telephony.simulator.elements import Request
from telephony.simulator.rest import Hang, RestAccount, RestAnswer, RestRequest, refusal
from telephony.simulator.rest_faults import read_rest_faults

AUTHORIZED = "Basic " + b64encode(b"AC1:token").decode()
NUMBERS = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers"


@pytest.fixture
def account() -> RestAccount:
    return RestAccount("AC1", "token")


def answer(account: RestAccount, path: str, method: str = "GET", **form: str) -> RestAnswer:
    got = account.answer(RestRequest(method, path, {}, form, AUTHORIZED))
    assert isinstance(got, RestAnswer)
    return got


def test_setting_a_trunk_deletes_the_voice_application_and_the_other_way_round(
    account: RestAccount,
) -> None:
    path = f"{NUMBERS}/{account.add('+14155550199', voice_application_sid='AP1')}.json"
    number = json.loads(answer(account, path, "POST", TrunkSid="TK1").body)
    assert (number["trunk_sid"], number["voice_application_sid"]) == ("TK1", None)
    number = json.loads(answer(account, path, "POST", VoiceApplicationSid="AP2").body)
    assert (number["trunk_sid"], number["voice_application_sid"]) == (None, "AP2")
    number = json.loads(answer(account, path, "POST", VoiceApplicationSid="", TrunkSid="").body)
    assert (number["trunk_sid"], number["voice_application_sid"]) == (None, None)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"VoiceUrl": "voice.example.com"}, 21502),
        ({"StatusCallback": "ftp://voice.example.com"}, 21502),
        ({"VoiceMethod": "PUT"}, 21403),
        ({"VoiceFallbackMethod": ""}, 21403),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_of_it_is_set(
    account: RestAccount, form: dict[str, str], code: int
) -> None:
    sid = account.add("+14155550199")
    before = dict(account.numbers[sid])
    form = {"VoiceFallbackUrl": "https://good.example.com", **form}
    refused = answer(account, f"{NUMBERS}/{sid}.json", "POST", **form)
    assert (refused.status, json.loads(refused.body)["code"]) == (400, code)
    assert account.numbers[sid] == before


@pytest.mark.parametrize(
    "path",
    [
        "/2010-04-01/Accounts/AC2.json",
        "/2010-04-01/Accounts/AC1",
        "/2010-04-01/Accounts/AC1/Calls.json",
        f"{NUMBERS}/PN9.json",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(account: RestAccount, path: str) -> None:
    missing = answer(account, path)
    assert (missing.status, json.loads(missing.body)["code"]) == (404, 20404)


@pytest.mark.parametrize("authorization", ["", "Basic ", "Basic QUMxOg==", AUTHORIZED[:-4]])
def test_strangers_are_refused_before_anything_is_looked_up(
    account: RestAccount, authorization: str
) -> None:
    refused = account.answer(RestRequest("GET", "/", {}, {}, authorization))
    assert isinstance(refused, RestAnswer)
    assert (refused.status, json.loads(refused.body)["code"]) == (401, 20003)


def test_faults_come_in_turn_and_then_no_more(account: RestAccount) -> None:
    account.faults += [Hang(), refusal(429, 20429, "Too Many Requests", Retry_After="1")]
    request = RestRequest("GET", f"{NUMBERS}.json", {}, {}, AUTHORIZED)
    assert account.answer(request) == Hang()
    limited = account.answer(request)
    assert isinstance(limited, RestAnswer)
    assert (limited.status, limited.headers) == (429, {"Retry-After": "1"})
    assert answer(account, f"{NUMBERS}.json").status == 200


def test_a_fault_of_certain_requests_leaves_all_others_alone(account: RestAccount) -> None:
    account.calls["CA1"] = call = Call()
    account.faults_of += read_rest_faults(["update=429*2", "update=lost", "place=503"])
    assert json.loads(answer(account, CALL).body)["status"] == "in-progress"
    for _ in range(2):
        limited = answer(account, CALL, "POST", Url="https://x.org")
        assert (limited.status, json.loads(limited.body)["code"]) == (429, 20429)
        assert call.told == []
    lost = answer(account, CALL, "POST", Url="https://x.org")
    assert (lost.status, call.told) == (502, [Request("https://x.org")])
    assert answer(account, CALL, "POST", Url="https://x.org").status == 200
    assert answer(account, CALLS, "POST").status == 503


@pytest.mark.parametrize("word", ["update", "update=418", "dial=429", "update=429*0", "=429"])
def test_a_fault_that_does_not_exist_is_refused_with_all_that_do(word: str) -> None:
    with pytest.raises(UsageError, match=r"--rest-fault: expected .* place, .* 429, .* got"):
        read_rest_faults([word])


class Call:
    """What the account knows of a call."""

    def __init__(self, *, rings: bool = False) -> None:
        self.over = False
        self.rings = rings
        self.told: list[object] = []

    def redirect(self, request: Request) -> None:
        self.told.append(request)

    def run_document(self, document: str) -> None:
        self.told.append(document)

    def end(self) -> None:
        self.over = True

    def cancel(self) -> None:
        self.over = self.rings

    @property
    def status(self) -> str:
        if self.over:
            return "canceled" if self.rings else "completed"
        return "ringing" if self.rings else "in-progress"


CALLS = "/2010-04-01/Accounts/AC1/Calls.json"
CALL = "/2010-04-01/Accounts/AC1/Calls/CA1.json"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"Url": "https://x.org/a#rc=3"}, Request("https://x.org/a#rc=3")),
        ({"Url": "https://x.org/a", "Method": "GET"}, Request("https://x.org/a", "GET")),
        ({"Twiml": "<Response/>"}, "<Response/>"),
    ],
)
def test_a_running_call_is_told_how_to_go_on(
    account: RestAccount, form: dict[str, str], told: object
) -> None:
    account.calls["CA1"] = call = Call()
    assert json.loads(answer(account, CALL, "POST", **form).body)["status"] == "in-progress"
    assert call.told == [told]


def test_a_running_call_cannot_be_cancelled(account: RestAccount) -> None:
    account.calls["CA1"] = call = Call()
    assert answer(account, CALL, "POST", Status="canceled").status == 200
    assert not call.over


def test_a_ringing_call_can_be_cancelled_and_cannot_be_redirected(account: RestAccount) -> None:
    account.calls["CA1"] = call = Call(rings=True)
    for form in ({"Url": "https://x.org"}, {"Twiml": "<Response/>"}):
        refused = answer(account, CALL, "POST", **form)
        assert (refused.status, json.loads(refused.body)["code"]) == (400, 21220)
    assert call.told == []
    told = json.loads(answer(account, CALL, "POST", Status="canceled").body)
    assert (call.over, told["status"]) == (True, "canceled")


def test_a_running_call_is_ended_once(account: RestAccount) -> None:
    account.calls["CA1"] = call = Call()
    assert json.loads(answer(account, CALL, "POST", Status="completed").body)["status"] == (
        "completed"
    )
    assert call.over
    for form in ({"Status": "completed"}, {"Url": "https://x.org"}, {"Twiml": "<Response/>"}):
        over = answer(account, CALL, "POST", **form)
        assert (over.status, json.loads(over.body)["code"]) == (400, 21220)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 21205),
        ({"Url": "x.org"}, 21205),
        ({"Url": "https://x.org", "Twiml": "<Response/>"}, 20422),
        ({"Url": "https://x.org", "Method": "PUT"}, 20422),
        ({"Status": "busy"}, 20422),
        ({"Twiml": "x" * 4_001}, 20422),
    ],
)
def test_what_a_call_cannot_be_told_is_refused(
    account: RestAccount, form: dict[str, str], code: int
) -> None:
    account.calls["CA1"] = call = Call()
    refused = answer(account, CALL, "POST", **form)
    assert (refused.status, json.loads(refused.body)["code"]) == (400, code)
    assert call.told == []
    assert not call.over
