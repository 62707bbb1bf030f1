"""`/healthz` says whether the process works, and which one it is. `/readyz` says if it takes calls.

A missing store or model does not change the answers. Calls are answered and go on while the store
is away. While the model is away, other workers could not help callers any better. `reasons` says
what is away.
"""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from agent.gemini.breaker import State
from agent.store.base import StoreAway
from telephony.server.patience import patiently
from telephony.server.worker import Worker

router = APIRouter()

BROKEN = "this process cannot hold calls any more; restart it"


@router.get("/healthz")
async def healthz(request: Request, challenge: str = "") -> JSONResponse:
    """Answer 200 while the event loop runs and the worker can hold calls; 503 asks for a restart.

    With a challenge, the answer also proves which server this is (`telephony.twilio.challenge`).
    """
    worker: Worker = request.app.state.worker
    if worker.calls.broken:
        return JSONResponse({"status": "broken", "reasons": [BROKEN]}, 503)
    identity = worker.admission.identity(challenge, worker.instance)
    return JSONResponse({"status": "ok", "reasons": [], **identity})


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Answer 200 while the worker takes new calls, 503 while it drains."""
    worker: Worker = request.app.state.worker
    if worker.calls.broken:
        return JSONResponse({"status": "broken", "reasons": [BROKEN]}, 503)
    if worker.calls.draining:
        return JSONResponse({"status": "draining", "reasons": ["stopping"]}, 503)
    reasons = []
    try:
        await patiently(worker.store.ping())
    except StoreAway as away:
        reasons.append(f"the store is away ({away.why}); transcripts wait in memory")
    if worker.personas.problem:
        reasons.append(f"persona files have mistakes: {worker.personas.problem}")
    reasons += worker.personas.server_problems
    fallback = worker.settings.gemini_fallback_model
    match worker.model.state():
        case State.OPEN if fallback is not None:
            reasons.append(f"the model is away (its breaker is open); {fallback} is asked instead")
        case State.OPEN:
            reasons.append("the model is away (its breaker is open); callers wait, then hear why")
        case State.HALF_OPEN:
            reasons.append("the model was away, and is tried again (its breaker is half open)")
        case State.CLOSED:
            pass
    if worker.model.state(fallback=True) is State.OPEN:
        reasons.append(f"{fallback} is away (its breaker is open)")
    return JSONResponse({"status": "degraded" if reasons else "ready", "reasons": reasons})
