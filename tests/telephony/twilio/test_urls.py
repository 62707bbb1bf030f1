"""The URLs that Twilio is given: they keep the public address, which is refused if it is no use."""

import pytest

from telephony.twilio import urls


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("https://voice.example.com", "wss://voice.example.com/twilio/media"),
        ("https://voice.example.com/", "wss://voice.example.com/twilio/media"),
        ("https://voice.example.com:8443", "wss://voice.example.com:8443/twilio/media"),
        ("https://example.com/a/b", "wss://example.com/a/b/twilio/media"),
        ("https://example.com/a/b/", "wss://example.com/a/b/twilio/media"),
        ("HTTPS://example.com/https", "wss://example.com/https/twilio/media"),
    ],
)
def test_the_stream_url_keeps_host_port_and_prefix(public_url: str, expected: str) -> None:
    assert urls.stream_url(public_url) == expected


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "voice.example.com",
        "http://voice.example.com",
        "wss://voice.example.com",
        "https://",
        "https:///twilio",
        "https://voice.example.com?",
        "https://voice.example.com/?a=1",
        "https://voice.example.com/#rc=3",
        "https://user:secret@voice.example.com",
        "https://voice.example.com/a b",
        "https://voice.example.com\n",
    ],
)
def test_a_public_url_that_twilio_could_not_use_is_refused(public_url: str) -> None:
    with pytest.raises(ValueError, match="PUBLIC_URL"):
        urls.stream_url(public_url)


def test_a_password_in_a_public_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="PUBLIC_URL") as refused:
        urls.stream_url("https://user:secret@voice.example.com")
    assert "secret" not in str(refused.value)
