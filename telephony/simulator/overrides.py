"""How long Twilio waits for an answer to a request, and how often it asks again. Pure.

A URL's fragment can replace Twilio's defaults:

    https://voice.example.com/twilio/voice#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000

    ct   ms to connect, 100 to 10000        rc   how often to ask again, 0 to 5
    rt   ms to answer, 100 to 15000         rp   after what: 4xx, 5xx, ct, rt, all
    tt   ms for all of it, 100 to 15000     sni, e   of no effect here

Source: Twilio's documentation (webhooks, connection overrides; error 11243; read in October 2026).
A value out of bounds is refused, because the documentation does not say what Twilio does with it.
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

INVALID_URL = 11100
INVALID_POLICY = 11243


class Failure(StrEnum):
    """Why a request failed, as `rp` names it."""

    CONNECT = "ct"
    READ = "rt"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"


class OverridesError(ValueError):
    """Twilio does not accept this fragment. `code` is Twilio's error code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Overrides:
    """The retries and timeouts of one request."""

    retries: int = 1
    retried: frozenset[Failure] = frozenset({Failure.CONNECT})
    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000


def overrides(fragment: str) -> Overrides:
    """Read a URL's fragment; an empty one gives the defaults.

    Raises:
        OverridesError: Twilio would not accept it.
    """
    given = dict(parse_qsl(fragment, keep_blank_values=True))
    if fragment and not given:
        raise OverridesError(INVALID_URL, f"expected ct=… and the like, got {fragment!r}")
    for name in given:
        if name not in {*_BOUNDS, "rp", "sni", "e"}:
            raise OverridesError(INVALID_URL, f"there is no connection override {name!r}")
    numbers = {name: _number(name, given.get(name)) for name in _BOUNDS}
    return Overrides(
        numbers["rc"], _policy(given.get("rp", "ct")), numbers["ct"], numbers["rt"], numbers["tt"]
    )


def _number(name: str, value: str | None) -> int:
    default, least, most = _BOUNDS[name]
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise OverridesError(INVALID_URL, f"expected {name} of {least} to {most}, got {value!r}")
    return int(value)


def _policy(value: str) -> frozenset[Failure]:
    if value == "all":
        return frozenset(Failure)
    try:
        return frozenset(map(Failure, value.split(",")))
    except ValueError:
        known = ", ".join(Failure)
        raise OverridesError(INVALID_POLICY, f"expected rp of {known}, got {value!r}") from None


_BOUNDS = {
    "rc": (1, 0, 5),
    "ct": (5_000, 100, 10_000),
    "rt": (15_000, 100, 15_000),
    "tt": (15_000, 100, 15_000),
}
"""Each with its default, least and most."""
