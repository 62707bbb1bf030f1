"""Reads what `POST /calls` asks for. Pure.

{"to": "+14155550123", "persona": "Ada", "consent": "web form of 30 November 2026"}
"""

import json
from dataclasses import dataclass, field, fields

LONGEST_CHARS = 500


class RequestError(ValueError):
    """It cannot be read. The message says what was expected; it does not repeat what came."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that somebody wants to be placed.

    Args:
        to: Whom to call.
        persona: The name of the agent that calls; "" if only one may.
        consent: When and how the person agreed to be called, in words for people.
    """

    to: str = field(repr=False)
    persona: str = ""
    consent: str = field(default="", repr=False)


NAMES = tuple(each.name for each in fields(Wish))


def read(body: bytes) -> Wish:
    """Read the body of a request.

    Raises:
        RequestError: It is not the JSON that was expected.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise RequestError('expected JSON such as {"to": "+14155550123", "consent": "…"}')
    for name, value in given.items():
        if name not in NAMES:
            raise RequestError(f"expected no other names than {', '.join(NAMES)}; leave it out")
        if not isinstance(value, str):
            raise RequestError(f"{name}: expected a text in quotes")
        if len(value) > LONGEST_CHARS:
            raise RequestError(f"{name}: expected at most {LONGEST_CHARS} characters")
        if not value.isprintable():
            raise RequestError(f"{name}: expected characters that can be printed, on one line")
    if "to" not in given:
        raise RequestError('to: missing; expected whom to call, such as "to": "+14155550123"')
    return Wish(**given)
