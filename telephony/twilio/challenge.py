"""A challenge that only a server with our auth token can answer. The doctor uses it.

    challenge   made up by the client, new each time
    instance    one server process's name, made up by the server
    proof       HMAC-SHA256 of both, base64url; its key is derived from the auth token and is used
                for nothing else, so an answer to a stranger reveals neither token nor signature

Pure. Source: RFC 2104.
"""

import base64
import hashlib
import hmac
import re

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{16,64}").fullmatch


def is_challenge(text: str) -> bool:
    """Whether `text` is a valid challenge: 16 to 64 characters of base64url."""
    return _CHALLENGE(text) is not None


def proof(auth_token: str, challenge: str, instance: str) -> str:
    """The proof of the server process `instance`: 43 characters."""
    key = hmac.digest(auth_token.encode(), b"offhook challenge v1", hashlib.sha256)
    mac = hmac.digest(key, f"{challenge} {instance}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def proves(auth_tokens: tuple[str, ...], challenge: str, instance: str, given: str) -> bool:
    """Whether `given` is a valid proof under one of the auth tokens."""
    return any(
        hmac.compare_digest(proof(token, challenge, instance).encode(), given.encode())
        for token in auth_tokens
    )
