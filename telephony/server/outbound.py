"""`POST /calls`: places a call, for whoever has API_TOKEN.

    201  the call was placed: `call_sid`, `persona`
    401  the token is missing or wrong         403  closed without API_TOKEN; or a rule refuses it
    409  one with its key is under way         422  it cannot be read, or its key was used
    429  too many wait
    502  Twilio refused it, or nobody knows    503  the store is away, or this server stops

Every answer but 201 has `error`, a word for programs, and `message`, a sentence for people; a
refusal has `rule`, too.
"""

import hashlib
import hmac
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from telephony.dialling.request import RequestError, read
from telephony.server.body import BodyError, body_of
from telephony.server.dialler import NotPlaced, dial
from telephony.server.once import HEADER, once
from telephony.server.worker import Worker

BODY_LIMIT_BYTES = 8_192

SCHEME = "bearer"

router = APIRouter()


@router.post("/calls")
async def calls(request: Request) -> JSONResponse:
    """Place a call. The answer comes once Twilio has taken it, which may take half a minute."""
    worker: Worker = request.app.state.worker
    token = worker.settings.api_token
    if token is None:
        return _error(403, "closed", "this server places no calls: set API_TOKEN to open /calls")
    if not _is_token(request.headers.get("authorization", ""), token):
        answer = _error(401, "token", "expected the header Authorization: Bearer API_TOKEN")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    try:
        wish = read(await body_of(request, BODY_LIMIT_BYTES))
    except (RequestError, BodyError) as error:
        worker.metrics.dialled("unreadable")
        return _error(422, "unreadable", str(error))
    try:
        header = request.headers.get(HEADER)
        dialling = partial(dial, worker, wish)
        placed = await (dialling() if header is None else once(worker, header, wish, dialling))
    except NotPlaced as refused:
        worker.metrics.dialled(refused.rule or refused.error)
        about = {"rule": refused.rule} if refused.rule else {}
        answer = _error(refused.status, refused.error, refused.why, **about)
        if refused.retry_s:
            answer.headers["Retry-After"] = str(refused.retry_s)
        return answer
    worker.metrics.dialled("placed")
    return JSONResponse({"call_sid": placed.call_sid, "persona": placed.persona}, 201)


def _is_token(header: str, token: SecretStr) -> bool:
    """Whether a header has the token. It takes as long for every wrong one."""
    scheme, _, given = header.partition(" ")
    digests = (
        hashlib.sha256(text.encode("latin-1", "replace")).digest()
        for text in (given.strip(), token.get_secret_value())
    )
    return hmac.compare_digest(*digests) and scheme.lower() == SCHEME


def _error(status: int, error: str, message: str, **about: str) -> JSONResponse:
    return JSONResponse({"error": error, **about, "message": message}, status)
