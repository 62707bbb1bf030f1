import pytest

from telephony.errors import UsageError
from telephony.simulator.webhooks import signature
from telephony.simulator.workers import Workers


def test_everyone_gets_a_turn_and_all_are_tried() -> None:
    workers = Workers(["http://a:1", "http://b:2/", "https://c"])
    order = [
        [target.worker for target in workers.targets("https://public/voice")] for _ in range(4)
    ]
    assert order == [
        ["http://a:1", "http://b:2", "https://c"],
        ["http://b:2", "https://c", "http://a:1"],
        ["https://c", "http://a:1", "http://b:2"],
        ["http://a:1", "http://b:2", "https://c"],
    ]


def test_a_public_url_keeps_its_path_and_takes_the_workers_address_and_security() -> None:
    workers = Workers(["http://a:1", "https://b"], route=lambda _path: 0)
    assert [target.url for target in workers.targets("wss://public/twilio/media")] == [
        "ws://a:1/twilio/media",
        "wss://b/twilio/media",
    ]
    assert [target.url for target in workers.targets("https://public/voice?x=1")] == [
        "http://a:1/voice?x=1",
        "https://b/voice?x=1",
    ]


def test_no_worker_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="fix: give one"):
        Workers([])


# Twilio's own vector, and two computed with its library.
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}


def test_signatures_are_twilios() -> None:
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, FORM) == "L/OH5YylLD5NRKLltdqwSvS0BnU="
    media = "wss://voice.example.com/twilio/media"
    assert signature("12345", media, {}) == "PGLrn08/Ba1sEIuSwPQRBPD54PA="
    assert signature("12345", media + "/", {}) == "/l2QA+p8VR0Ejy/AIlzbV7YZXIA="


def test_over_tls_the_port_is_not_signed_and_without_it_is() -> None:
    sign = {
        url: signature("t", url, {})
        for url in ("https://h/x", "https://h:8443/x", "http://h/x", "http://h:80/x")
    }
    assert sign["https://h/x"] == sign["https://h:8443/x"]
    assert sign["http://h/x"] != sign["http://h:80/x"]
