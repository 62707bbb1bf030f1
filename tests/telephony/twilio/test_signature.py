"""Signatures against Twilio's documented vectors, and everything a stranger may send instead."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio import signature as sig
from telephony.twilio.signature import FormError

# The example of Twilio's security page, and one for a WebSocket.
AUTH_TOKEN = "12345"
URL = "https://example.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="
WSS_URL = "wss://voice.example.com/twilio/media"
WSS_SIGNATURE = "PGLrn08/Ba1sEIuSwPQRBPD54PA="
WSS_SLASH_SIGNATURE = "/l2QA+p8VR0Ejy/AIlzbV7YZXIA="


def sign(text: str, auth_token: str = AUTH_TOKEN) -> str:
    """Twilio's algorithm over what its page says is signed, spelled out by each test."""
    mac = hmac.digest(auth_token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(mac).decode()


def test_twilios_own_example_is_valid() -> None:
    assert sig.valid_webhook(URL, FORM, SIGNATURE, [AUTH_TOKEN])
    assert sig.valid_webhook(URL, dict(FORM), SIGNATURE, [AUTH_TOKEN])
    assert sig.valid_webhook(URL, reversed(FORM), SIGNATURE, [AUTH_TOKEN])


@pytest.mark.parametrize(
    "signature",
    [None, "", " ", SIGNATURE[:-1], SIGNATURE + "=", SIGNATURE.lower(), "é" * 28, "=" * 28],
    ids=ascii,
)
def test_a_missing_or_wrong_signature_is_no_exception(signature: str | None) -> None:
    assert not sig.valid_webhook(URL, FORM, signature, [AUTH_TOKEN])
    assert not sig.valid_upgrade(WSS_URL, signature, [AUTH_TOKEN])


@pytest.mark.parametrize(
    "form",
    [
        [],
        FORM[:-1],
        [*FORM, ("AnsweredBy", "human")],
        [*FORM, ("Empty", "")],
        [*FORM[:-1], ("To", "+18005551213")],
        [*FORM[:-1], ("to", "+18005551212")],
        [*FORM[:-1], ("To", "+18005551212 ")],
        [*FORM, ("To", "+18005551213")],
    ],
    ids=["none", "less", "more", "blank", "value", "case", "space", "twice"],
)
def test_any_change_to_the_form_makes_the_signature_invalid(form: list[tuple[str, str]]) -> None:
    assert not sig.valid_webhook(URL, form, SIGNATURE, [AUTH_TOKEN])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/myapp.php",
        "https://example.com/myapp.php?bar=2&foo=1",
        "https://example.com/myapp.php?foo=1&bar=2&",
        "http://example.com/myapp.php?foo=1&bar=2",
        "https://example.org/myapp.php?foo=1&bar=2",
        "https://example.com/myapp%2Ephp?foo=1&bar=2",
    ],
)
def test_any_change_to_the_url_makes_the_signature_invalid(url: str) -> None:
    assert not sig.valid_webhook(url, FORM, SIGNATURE, [AUTH_TOKEN])


def test_a_fragment_is_not_signed() -> None:
    assert sig.valid_webhook(f"{URL}#rc=3&rp=ct,rt,5xx", FORM, SIGNATURE, [AUTH_TOKEN])
    assert sig.webhook_signature(f"{URL}#rc=3", dict(FORM), AUTH_TOKEN) == SIGNATURE


def test_twilio_may_leave_the_port_out_of_what_it_signs() -> None:
    url = "https://example.com:8443/twilio/voice"
    assert sig.valid_webhook(url, [], sign(url), [AUTH_TOKEN])
    assert sig.valid_webhook(url, [], sign("https://example.com/twilio/voice"), [AUTH_TOKEN])
    assert not sig.valid_webhook(url, [], sign(url.replace("8443", "8444")), [AUTH_TOKEN])


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (b"Digits=&CallSid=CA1&FromCity=", "CallSidCA1DigitsFromCity"),
        (b"From=%2B1415&Name=a+b%26c%3D%25", "From+1415Namea b&c=%"),
        (b"Name=Zo%C3%AB+%E2%98%8E", "NameZoë ☎"),
        ("Name=Zoë".encode(), "NameZoë"),
        (b"Media=b&A=1&Media=a", "A1MediaaMediab"),
        (b"a=1&B=2", "B2a1"),
        (b"", ""),
    ],
    ids=["blank", "percent", "unicode", "raw-unicode", "repeated", "case", "empty"],
)
def test_a_form_is_read_as_twilio_signed_it(body: bytes, signed: str) -> None:
    url = "https://example.com/twilio/voice"
    form = sig.parse_form(body)
    assert sig.valid_webhook(url, form, sign(url + signed), [AUTH_TOKEN])


def test_a_query_is_signed_as_it_is_encoded() -> None:
    url = "https://example.com/v?name=Zo%C3%AB%20b+c"
    assert sig.valid_webhook(url, [], sign(url), [AUTH_TOKEN])


@pytest.mark.parametrize(
    ("auth_tokens", "valid"),
    [
        (["new", AUTH_TOKEN], True),
        ((AUTH_TOKEN, "new"), True),
        (["new"], False),
        (["", AUTH_TOKEN], True),
        ([], False),
    ],
    ids=str,
)
def test_any_token_in_rotation_may_have_signed(
    auth_tokens: list[str] | tuple[str, ...], valid: bool
) -> None:
    assert sig.valid_webhook(URL, FORM, SIGNATURE, auth_tokens) is valid
    assert sig.valid_upgrade(WSS_URL, WSS_SIGNATURE, auth_tokens) is valid


def test_an_empty_auth_token_signs_nothing() -> None:
    assert not sig.valid_upgrade(WSS_URL, sign(WSS_URL, auth_token=""), [""])


@pytest.mark.parametrize("signature", [WSS_SIGNATURE, WSS_SLASH_SIGNATURE])
def test_an_upgrade_is_signed_over_the_wss_url_perhaps_with_a_slash(signature: str) -> None:
    assert sig.valid_upgrade(WSS_URL, signature, [AUTH_TOKEN])


@pytest.mark.parametrize(
    "signed",
    [
        "https://voice.example.com/twilio/media",
        "ws://voice.example.com/twilio/media",
        "wss://voice.example.com/twilio/media//",
        "wss://voice.example.com/twilio/media?token=1",
        "wss://voice.example.org/twilio/media",
    ],
)
def test_an_upgrade_signed_over_another_url_is_refused(signed: str) -> None:
    assert not sig.valid_upgrade(WSS_URL, sign(signed), [AUTH_TOKEN])


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_a_form_keeps_every_field_in_order(form: list[tuple[str, str]]) -> None:
    assert sig.parse_form(urlencode(form).encode()) == form


@given(st.binary())
def test_a_body_is_a_form_or_a_form_error(body: bytes) -> None:
    try:
        form = sig.parse_form(body)
    except FormError:
        return
    assert all(isinstance(part, str) for field in form for part in field)


@pytest.mark.parametrize(
    "body",
    [
        b"no-equals-sign",
        b"a=1&&b=2",
        b"a=%FF",
        b"\xff=1",
        b'{"CallSid":"CA1"}',
        b"a=1&" * 256 + b"a=1",
        b"a=" + b"x" * 65_535,
    ],
    ids=["bare", "gap", "percent-latin-1", "latin-1", "json", "many", "large"],
)
def test_garbage_is_a_form_error_that_does_not_quote_it(body: bytes) -> None:
    with pytest.raises(FormError) as refused:
        sig.parse_form(body)
    assert body[:12].decode("latin-1") not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_form_may_be_as_large_as_the_limits() -> None:
    assert len(sig.parse_form(b"a=1&" * 255 + b"a=1")) == 256
    assert sig.parse_form(b"a=" + b"x" * 65_534) == [("a", "x" * 65_534)]


@pytest.mark.parametrize("url", ["https://voice.example.com/a", "https://voice.example.com:8443/a"])
def test_what_we_sign_ourselves_is_taken_for_twilios(url: str) -> None:
    form = {"CallSid": "CA1", "CallerName": ""}
    signature = sig.webhook_signature(url, form, "new")
    assert signature == sig.webhook_signature(url.replace(":8443", ""), form, "new")
    assert sig.valid_webhook(url, form, signature, ("old", "new"))
    assert not sig.valid_webhook(url, form | {"CallerName": "x"}, signature, ("old", "new"))
    assert not sig.valid_webhook(url, form, signature, ("old",))
