"""The token that ties a stream to an answered call: forged, stale, stolen and repeated ones."""

import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from telephony.twilio import signature as sig
from telephony.twilio.signature import TokenError

AUTH_TOKEN = "12345"
SECRET = sig.token_secret(AUTH_TOKEN)
OTHER_SECRET = sig.token_secret("new")
CALL = "CAfedcba9876543210fedcba9876543210"
OTHER_CALL = "CA00000000000000000000000000000000"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
EXPIRES_MS = 1_800_000_000_000
NONCE = "n-_0"
TOKEN = sig.mint_token(SECRET, CALL, ACCOUNT, EXPIRES_MS, NONCE)


def check(
    token: str | None = TOKEN,
    *,
    secrets: tuple[bytes, ...] = (SECRET,),
    call_sid: str = CALL,
    account_sid: str = ACCOUNT,
    now_ms: int = EXPIRES_MS - 1,
) -> str:
    return sig.check_token(secrets, token, call_sid, account_sid, now_ms)


def refusal(token: str | None = TOKEN, **given: object) -> str:
    with pytest.raises(TokenError) as refused:
        check(token, **given)  # type: ignore[arg-type]  # passed on as they are
    return refused.value.reason


def test_a_token_is_what_its_format_says() -> None:
    claims = f"v1.{CALL}.{ACCOUNT}.{EXPIRES_MS}.{NONCE}"
    secret = hmac.digest(AUTH_TOKEN.encode(), b"offhook one-time token v1", hashlib.sha256)
    mac = base64.urlsafe_b64encode(hmac.digest(secret, claims.encode(), hashlib.sha256))
    assert f"{claims}.{mac.decode().rstrip('=')}" == TOKEN


def test_a_token_is_good_for_its_call_until_it_expires() -> None:
    assert check() == NONCE
    assert check(now_ms=0) == NONCE
    assert refusal(now_ms=EXPIRES_MS) == "expired"


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_missing(token: str | None) -> None:
    assert refusal(token) == "missing"


@pytest.mark.parametrize(
    "token",
    [
        "abc",
        TOKEN[:-1],
        TOKEN + "=",
        TOKEN + "A",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN.replace("v1", "v2"),
        TOKEN.replace(str(EXPIRES_MS), "-1"),
        TOKEN.replace(str(EXPIRES_MS), "١٢٣"),
        TOKEN.replace(NONCE, ""),
        TOKEN.replace(NONCE, "é"),
        TOKEN.replace(".", "%2E"),
        "v1." * 100_000,
        "\ud800",
    ],
    ids=lambda token: ascii(token)[:40],
)
def test_a_token_of_another_shape_is_malformed(token: str) -> None:
    assert refusal(token) == "malformed"


@pytest.mark.parametrize(
    "token",
    [
        TOKEN.replace(str(EXPIRES_MS), str(EXPIRES_MS + 1)),
        TOKEN.replace(NONCE, "n-_1"),
        TOKEN.replace(CALL, OTHER_CALL),
        TOKEN.replace(ACCOUNT, ACCOUNT.upper()),
        TOKEN[:-43] + TOKEN[-43:].swapcase(),
        TOKEN[:-43] + "A" * 43,
        sig.mint_token(OTHER_SECRET, CALL, ACCOUNT, EXPIRES_MS, NONCE),
        sig.mint_token(b"", CALL, ACCOUNT, EXPIRES_MS, NONCE),
    ],
    ids=["expiry", "nonce", "call", "account", "mac-case", "mac", "other-secret", "no-secret"],
)
def test_a_token_changed_anywhere_is_forged(token: str) -> None:
    assert refusal(token) == "forged"


def test_every_character_of_a_token_counts() -> None:
    for at, was in enumerate(TOKEN):
        changed = TOKEN[:at] + ("0" if was != "0" else "1") + TOKEN[at + 1 :]
        assert refusal(changed) in {"forged", "malformed"}


def test_a_token_is_refused_on_another_call_or_account() -> None:
    assert refusal(call_sid=OTHER_CALL) == "other call"
    assert refusal(account_sid="AC1") == "other call"
    assert refusal(call_sid=ACCOUNT, account_sid=CALL) == "other call"


def test_a_forged_token_is_not_told_what_else_is_wrong_with_it() -> None:
    forged = TOKEN[:-43] + "A" * 43
    assert refusal(forged, call_sid=OTHER_CALL, now_ms=EXPIRES_MS) == "forged"


def test_a_token_outlives_the_rotation_of_its_auth_token() -> None:
    assert check(secrets=(OTHER_SECRET, SECRET)) == NONCE
    assert refusal(secrets=(OTHER_SECRET,)) == "forged"
    assert refusal(secrets=()) == "forged"


def test_a_webhook_that_comes_twice_mints_one_token() -> None:
    nonce = sig.first_nonce(SECRET, CALL)
    again = sig.first_nonce(sig.token_secret(AUTH_TOKEN), CALL)
    first = sig.mint_token(SECRET, CALL, ACCOUNT, EXPIRES_MS, nonce)
    assert sig.mint_token(SECRET, CALL, ACCOUNT, EXPIRES_MS, again) == first
    later = sig.mint_token(SECRET, CALL, ACCOUNT, EXPIRES_MS + 5_000, again)
    assert check(later) == check(first)


def test_the_first_nonce_is_each_calls_own() -> None:
    nonces = {
        sig.first_nonce(secret, call) for secret in (SECRET, OTHER_SECRET) for call in (CALL, "CA1")
    }
    assert len(nonces) == 4


def test_an_auth_token_is_not_its_own_secret() -> None:
    assert len(SECRET) == 32
    assert AUTH_TOKEN.encode() not in SECRET
    with pytest.raises(ValueError, match="auth token"):
        sig.token_secret("")


@pytest.mark.parametrize(
    ("call_sid", "account_sid", "expires_ms", "nonce"),
    [
        ("", ACCOUNT, EXPIRES_MS, NONCE),
        ("CA1.AC1", ACCOUNT, EXPIRES_MS, NONCE),
        (CALL, "AC 1", EXPIRES_MS, NONCE),
        (CALL, ACCOUNT, -1, NONCE),
        (CALL, ACCOUNT, EXPIRES_MS, ""),
        (CALL, ACCOUNT, EXPIRES_MS, "n" * 65),
        (CALL, ACCOUNT, EXPIRES_MS, "n\n"),
        (CALL, ACCOUNT, EXPIRES_MS, "n." + "A" * 43),
    ],
    ids=str,
)
def test_what_does_not_fit_into_a_token_is_not_minted(
    call_sid: str, account_sid: str, expires_ms: int, nonce: str
) -> None:
    with pytest.raises(ValueError, match="URL-safe"):
        sig.mint_token(SECRET, call_sid, account_sid, expires_ms, nonce)


def test_the_longest_token_is_url_safe_and_below_300_characters() -> None:
    token = sig.mint_token(SECRET, "C" * 64, "A" * 64, 10**16 - 1, "n" * 64)
    assert len(token) < 300
    assert quote(token, safe="") == token
