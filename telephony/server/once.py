"""`Idempotency-Key`: a request with the same key and body is carried out once, and answered alike.

    the same body, done     the same answer
    the same body, running  409
    another body            422

Only what may have placed a call is kept: a request that was refused or failed before is forgotten,
so that it may be tried again with the same key. Where the store does not hear that it may be
forgotten, it is taken over later, unless it had noted there that it asks Twilio.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus

from agent.store.base import StoreAway
from telephony.dialling.request import Wish
from telephony.server.dialler import NotPlaced, Placed
from telephony.server.patience import patiently
from telephony.server.worker import Worker

HEADER = "idempotency-key"

_KEY = re.compile(r'"?([!#-\[\]-~]{1,255})"?').fullmatch
"""Visible characters, with or without the quotes of a structured header."""

DIED = (
    "nobody knows whether the call was placed: the server that was asked has died meanwhile; look "
    "at the calls in the Twilio Console before you ask with another key"
)
AGAIN_S = 2
"""After so long it is worth asking again for a request that is under way."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    key: str
    owner: str


async def once(
    worker: Worker,
    header: str,
    wish: Wish,
    dial: Callable[[Callable[[], Awaitable[None]]], Awaitable[Placed]],
) -> Placed:
    """Place a call, unless a request with the same key has done so.

    Args:
        worker: This worker.
        header: The value of the header.
        wish: What is asked.
        dial: Places the call. It is given what to await right before it asks Twilio.

    Raises:
        NotPlaced: As `dial`; or the key cannot be used, or a request with it is under way.
    """
    found = _KEY(header.strip())
    if found is None:
        raise NotPlaced(
            "idempotency_key",
            "expected Idempotency-Key to be at most 255 visible characters, such as a UUID",
            HTTPStatus.UNPROCESSABLE_CONTENT,
        )
    attempt = _Attempt(worker.admission.request(f"key {found[1]}"), secrets.token_hex(16))
    known = await _begun(worker, attempt, wish)
    if known is not None:
        return known
    try:
        placed = await dial(partial(_asks, worker, attempt))
    except NotPlaced as not_placed:
        unknown = not_placed.error == "unknown"
        await _end(worker, attempt, json.dumps({"unknown": not_placed.why}) if unknown else "")
        raise
    await _end(worker, attempt, json.dumps(asdict(placed)), placed.call_sid)
    return placed


async def _begun(worker: Worker, attempt: _Attempt, wish: Wish) -> Placed | None:
    """What a request with this key has come to; None if this attempt is to carry it out."""
    body = worker.admission.request(f"body {json.dumps(asdict(wish))}")
    try:
        begun = await patiently(worker.requests.begin(attempt.key, body, attempt.owner))
    except StoreAway as away:
        await _end(worker, attempt, "")  # it may have begun, though its answer did not come
        raise NotPlaced(
            "store_away",
            f"the store is away ({away.why}), so nobody knows whether this was asked before; try "
            "again when it is back",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ) from away
    match begun.state:
        case "begun":
            return None
        case "done":
            return _told(begun.answer)
        case "running":
            raise _under_way()
        case "other":
            raise NotPlaced(
                "key_used",
                "this Idempotency-Key was used for another request; expected a new key for each",
                HTTPStatus.UNPROCESSABLE_CONTENT,
            )
        case "unknown":
            raise NotPlaced("unknown", DIED, HTTPStatus.BAD_GATEWAY)


async def _asks(worker: Worker, attempt: _Attempt) -> None:
    """Note that Twilio is asked now."""
    try:
        may = await patiently(worker.requests.ask(attempt.key, attempt.owner))
    except StoreAway as away:
        raise NotPlaced(
            "store_away",
            f"the store is away ({away.why}), so a call that is asked for again might be placed "
            "twice; try again when it is back",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ) from away
    if not may:
        raise _under_way()


def _under_way() -> NotPlaced:
    return NotPlaced(
        "under_way",
        "a request with this Idempotency-Key is under way; ask again for its answer",
        HTTPStatus.CONFLICT,
        retry_s=AGAIN_S,
    )


def _told(answer: str) -> Placed:
    kept = json.loads(answer)
    if "unknown" in kept:
        raise NotPlaced("unknown", kept["unknown"], HTTPStatus.BAD_GATEWAY)
    return Placed(**kept)


async def _end(worker: Worker, attempt: _Attempt, answer: str, call_sid: str = "") -> None:
    try:
        await patiently(worker.requests.end(attempt.key, attempt.owner, answer, call_sid))
    except StoreAway:  # it is taken over later; if it asked, it is not repeated
        return
