"""Decides which requests are accepted: by Twilio's signature, and for streams by a one-time token.

Nothing happens for a request before this check: no model is dialled and nothing is stored for a
stranger.
"""

import re
import secrets
import time
from collections.abc import Mapping

from telephony.settings import Settings
from telephony.twilio.challenge import is_challenge, proof
from telephony.twilio.messages import Start
from telephony.twilio.numbers import is_number, known_party, parties
from telephony.twilio.signature import (
    FormError,
    called_key,
    caller_key,
    check_token,
    first_nonce,
    mint_token,
    parse_form,
    request_key,
    spender_key,
    token_secret,
    valid_upgrade,
    valid_webhook,
)
from telephony.twilio.twiml import TOKEN_PARAMETER
from telephony.twilio.urls import stream_url, webhook_url

TOKEN_LIFE_S = 60
"""How long a token is valid. Twilio connects within a second, and its retries end long before."""

_SID = re.compile("[A-Za-z0-9]{1,64}").fullmatch
"""The SIDs that are safe in a token, in a key of the store, and in a file's name."""


class Refused(Exception):  # noqa: N818 - what happened, not that it is an error
    """A request does not come from Twilio. `why` is a fixed phrase, for counting."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Admission:
    """The checks, with this installation's secrets."""

    def __init__(self, settings: Settings) -> None:
        self._public_url = settings.public_url
        self._account_sid = settings.twilio_account_sid
        self._auth_tokens = settings.auth_tokens
        self._secrets = [token_secret(token) for token in settings.auth_tokens]

    def webhook(
        self,
        path: str,
        query: str,
        body: bytes,
        signature: str | None,
        *,
        names: tuple[str, ...] = ("CallSid", "AccountSid"),
    ) -> Mapping[str, str]:
        """Check a webhook and read its form.

        Args:
            path: The path below PUBLIC_URL.
            query: The URL's query, as it was sent; "" for none. An operator may add one to a
                number's URL, and Twilio signs it too.
            body: The request's body, unchanged.
            signature: The X-Twilio-Signature header, None if there is none.
            names: The fields that have to hold a SID.

        Raises:
            Refused: The signature is missing or wrong, the body is not a form, the account is
                another one, or there is no CallSid.
        """
        try:
            fields = parse_form(body)
        except FormError:
            raise Refused("not a form") from None
        url = webhook_url(self._public_url, path) + (f"?{query}" if query else "")
        if not valid_webhook(url, fields, signature, self._auth_tokens):
            raise Refused("no signature" if not signature else "forged signature")
        form = dict(fields)
        if self._account_sid not in {None, form.get("AccountSid")}:
            raise Refused("other account")
        if not all(_SID(form.get(name, "")) for name in names):
            raise Refused("no CallSid")
        return form

    def upgrade(self, signature: str | None) -> None:
        """Check a WebSocket upgrade, before it is accepted.

        Raises:
            Refused: The signature is missing or wrong.
        """
        if not valid_upgrade(stream_url(self._public_url), signature, self._auth_tokens):
            raise Refused("no signature" if not signature else "forged signature")

    def token(self, form: Mapping[str, str], *, first: bool) -> str:
        """Make a one-time token for the next stream of a webhook's call.

        Args:
            form: The webhook's fields.
            first: Whether the call has had no stream yet. If Twilio repeats the first webhook,
                both tokens count as the same one, on every worker.
        """
        call_sid = form["CallSid"]
        nonce = first_nonce(self._secrets[0], call_sid) if first else secrets.token_urlsafe(16)
        expires_ms = wall_time_ms() + TOKEN_LIFE_S * 1000
        return mint_token(self._secrets[0], call_sid, form["AccountSid"], expires_ms, nonce)

    def caller(self, form: Mapping[str, str]) -> str | None:
        """A keyed hash of caller and called number, for the store. None if the caller cannot be
        identified: the number is withheld, is not a number, or is our own.
        """
        ours, theirs = parties(form)
        if not is_number(theirs) or theirs == ours:
            return None
        return caller_key(self._secrets[0], ours, theirs)

    def spender(self, form: Mapping[str, str], agent: str) -> str:
        """A keyed hash of the caller, by which is counted what they cost an agent. All callers who
        withhold their number are one.
        """
        return spender_key(self._secrets[0], agent, known_party(form))

    def called(self, number: str) -> str:
        """A keyed hash of a number, by which is counted how often it is called."""
        return called_key(self._secrets[0], number)

    def request(self, text: str) -> str:
        """A keyed hash of a part of a request, by which it is known again."""
        return request_key(self._secrets[0], text)

    def identity(self, challenge: str, instance: str) -> dict[str, str]:
        """The proof which server process this is; empty if `challenge` is not a challenge."""
        if not is_challenge(challenge):
            return {}
        return {"instance": instance, "proof": proof(self._auth_tokens[0], challenge, instance)}

    def nonce(self, start: Start) -> str:
        """Check a stream's token and return its nonce. The store must still redeem it.

        Raises:
            TokenError: It is missing, malformed, forged, expired, or for another call.
        """
        token = start.custom_parameters.get(TOKEN_PARAMETER)
        return check_token(self._secrets, token, start.call_sid, start.account_sid, wall_time_ms())


def wall_time_ms() -> int:
    """Unix time, in ms. Only edge modules use it; a call's own time is monotonic."""
    return time.time_ns() // 1_000_000
