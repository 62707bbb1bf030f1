"""Checks X-Twilio-Signature, and makes and checks the one-time token that ties a stream to a call.

A signature proves that Twilio sent a request. The signature of a WebSocket upgrade is the same for
every call, because it covers only the URL. So each answered call also gets a token of its own,
which comes back in `Start.custom_parameters`:

    v1.<CallSid>.<AccountSid>.<expiry, Unix ms>.<nonce>.<HMAC-SHA256 of all before it, base64url>

The token proves where it comes from. The store makes sure that it is used only once, by its nonce.

Laws: whatever a stranger sends, a check returns False or raises a `TokenError`, never another
exception. Secrets are compared in constant time. Time and nonces are arguments.

Errors: `FormError` and `TokenError` are the sender's fault (answer 400 or 403, or close with 1008).
A ValueError is a bug of ours.

Source: Twilio documentation, Security, Validating requests (read in October 2026); RFC 2104.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # no types

FORM_LIMIT_BYTES = 64 * 1024
"""The largest form. A webhook has about 2 KB, most of it the CallToken."""

FORM_LIMIT_FIELDS = 256
"""The most fields in a form. A webhook has about 40; only SIP headers add more."""

type AuthTokens = tuple[str, ...] | list[str]
"""The tokens that Twilio may sign with; several while they are rotated. Never a plain str, which
would also be a sequence of one-letter tokens."""

TokenFault = Literal["missing", "malformed", "forged", "expired", "other call"]


class FormError(ValueError):
    """A request's body is not a form. The message never quotes it."""


class TokenError(ValueError):
    """A stream has no valid token for its call. `reason` is a fixed phrase, for counting."""

    def __init__(self, reason: TokenFault) -> None:
        super().__init__(f"expected this call's one-time token, got one that is {reason}")
        self.reason = reason


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """Read the body of a webhook (application/x-www-form-urlencoded, UTF-8).

    Returns:
        Names and values in their order. Blank values and repeated names are kept, because they
        are signed too.

    Raises:
        FormError: The body is too large, not a form, or not UTF-8.
    """
    if len(body) > FORM_LIMIT_BYTES:
        raise FormError(f"expected a form of at most {FORM_LIMIT_BYTES} bytes, got {len(body)}")
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FORM_LIMIT_FIELDS,
        )
    except ValueError:
        raise FormError(
            f"expected name=value pairs in UTF-8, at most {FORM_LIMIT_FIELDS}, got something else"
        ) from None  # the cause quotes the body, which holds the caller's number


def valid_webhook(
    url: str,
    params: Mapping[str, str] | Iterable[tuple[str, str]],
    signature: str | None,
    auth_tokens: AuthTokens,
) -> bool:
    """Whether Twilio sent this POST.

    Args:
        url: The URL as Twilio knows it, built only from PUBLIC_URL (`urls.webhook_url`) and
            never from the Host or X-Forwarded-* headers, which anybody can send. The fragment
            is ignored, because Twilio does not send it.
        params: All fields of the form, from `parse_form`.
        signature: The X-Twilio-Signature header, None if there is none.
        auth_tokens: The signature may be from any of them. Without tokens no signature is valid.
    """
    fields = _Fields(params.items() if isinstance(params, Mapping) else params)
    signed = url.partition("#")[0]
    return signature is not None and any(
        bool(RequestValidator(auth_token).validate(signed, fields, signature))
        for auth_token in auth_tokens
        if auth_token  # everybody knows an empty key
    )


def webhook_signature(url: str, params: Mapping[str, str], auth_token: str) -> str:
    """The X-Twilio-Signature of a POST, for our own requests that imitate Twilio's.

    Args:
        url: An https URL. Its port and its fragment are not signed.
        params: The form.
        auth_token: The token to sign with.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}")
    signed = parts._replace(netloc=host, fragment="")
    return str(RequestValidator(auth_token).compute_signature(signed.geturl(), dict(params)))


def valid_upgrade(url: str, signature: str | None, auth_tokens: AuthTokens) -> bool:
    """Whether Twilio sent this WebSocket upgrade. Check this before you accept it.

    Twilio signs the wss URL from the TwiML; its documentation says that it sometimes adds a slash.

    Args:
        url: The wss URL of the TwiML (`urls.stream_url`).
        signature: The X-Twilio-Signature header, None if there is none.
        auth_tokens: The signature may be from any of them.
    """
    return valid_webhook(url, (), signature, auth_tokens) or valid_webhook(
        url + "/", (), signature, auth_tokens
    )


def token_secret(auth_token: str) -> bytes:
    """The secret that signs one-time tokens on all workers: 32 bytes, from the auth token."""
    if not auth_token:
        raise ValueError("expected an auth token to derive a secret from, got an empty one")
    return _hmac(auth_token.encode(), "offhook one-time token v1")


def first_nonce(secret: bytes, call_sid: str) -> str:
    """The nonce for the first webhook of a call: 22 characters, the same on every worker.

    Twilio may deliver that webhook twice. Both tokens then have the same nonce, and the store
    redeems only one of them.
    """
    return _base64url(_hmac(secret, f"first nonce {call_sid}")[:16])


def caller_key(secret: bytes, ours: str, theirs: str) -> str:
    """A keyed hash of two parties' numbers, to remember calls by: 22 characters.

    Args:
        secret: From `token_secret`.
        ours: Our number in the call, because a call to another number is about something else.
        theirs: The other party's number.
    """
    return _base64url(_hmac(secret, f"caller {ours} {theirs}")[:16])


def spender_key(secret: bytes, agent: str, theirs: str) -> str:
    """A keyed hash of a caller, to count by what an agent's calls with them cost: 22 characters.

    Args:
        secret: From `token_secret`.
        agent: The agent's name.
        theirs: The caller's number; "" for all callers who withhold theirs.
    """
    return _base64url(_hmac(secret, f"spender {agent}\n{theirs}")[:16])


def called_key(secret: bytes, number: str) -> str:
    """A keyed hash of a number that we call, to count how often: 22 characters.

    Args:
        secret: From `token_secret`.
        number: The number.
    """
    return _base64url(_hmac(secret, f"called {number}")[:16])


def request_key(secret: bytes, text: str) -> str:
    """A keyed hash of a part of a request, by which it is known again: 22 characters.

    Args:
        secret: From `token_secret`.
        text: The part.
    """
    return _base64url(_hmac(secret, f"request {text}")[:16])


def mint_token(secret: bytes, call_sid: str, account_sid: str, expires_ms: int, nonce: str) -> str:
    """A token for one stream of one call: less than 300 URL-safe characters.

    Args:
        secret: From `token_secret`, of the newest auth token.
        call_sid: The call of the token.
        account_sid: The account the call belongs to.
        expires_ms: The Unix time from which it is refused, in ms.
        nonce: The part by which the store knows it: 1 to 64 of A-Z, a-z, 0-9, - and _.

    Raises:
        ValueError: A part does not fit into a token.
    """
    claims = f"v1.{call_sid}.{account_sid}.{expires_ms}.{nonce}"
    token = f"{claims}.{_base64url(_hmac(secret, claims))}"
    if not _TOKEN.fullmatch(token):
        raise ValueError(
            "expected SIDs and a nonce of 1 to 64 URL-safe characters and an expiry in Unix ms, "
            f"got {claims!r}"
        )
    return token


def check_token(
    secrets: Sequence[bytes], token: str | None, call_sid: str, account_sid: str, now_ms: int
) -> str:
    """Check a stream's token.

    Args:
        secrets: From `token_secret`, one for each auth token that is still valid.
        token: The stream's token parameter, None if there is none.
        call_sid: The CallSid that the stream states.
        account_sid: The AccountSid that the stream states.
        now_ms: Unix time, in ms.

    Returns:
        The nonce. The token counts only once the store has redeemed it.

    Raises:
        TokenError: Missing, malformed, forged, expired, or minted for another call.
    """
    if not token:
        raise TokenError("missing")
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise TokenError("malformed")
    given = parts["mac"].encode()
    if not any(
        hmac.compare_digest(_base64url(_hmac(secret, parts["claims"])).encode(), given)
        for secret in secrets
    ):
        raise TokenError("forged")
    if now_ms >= int(parts["expires_ms"]):
        raise TokenError("expired")
    if (parts["call_sid"], parts["account_sid"]) != (call_sid, account_sid):
        raise TokenError("other call")
    return parts["nonce"]


_TOKEN = re.compile(
    r"(?P<claims>v1"
    r"\.(?P<call_sid>[A-Za-z0-9]{1,64})"
    r"\.(?P<account_sid>[A-Za-z0-9]{1,64})"
    r"\.(?P<expires_ms>[0-9]{1,16})"
    r"\.(?P<nonce>[A-Za-z0-9_-]{1,64}))"
    r"\.(?P<mac>[A-Za-z0-9_-]{43})"
)


class _Fields(dict[str, list[str]]):
    """A form in the shape that `RequestValidator` reads: each name once, with all its values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        """The values of a name."""
        return self[name]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
