"""`/twilio/answered-by`: Twilio has found out whether a person or a machine answered a call.

The call is ended here, with a reason. Its stream closes, Twilio asks `/twilio/resume` how to go on,
and that answers with the message, or hangs up: so any worker can do it, and it is done once. Whom
the agent has put through meanwhile has talked with it, and is left alone, whatever Twilio says. So
is a service that screens the call, and that Twilio takes for a machine: it asks who calls, and why.
"""

from typing import assert_never

import structlog
from fastapi import APIRouter, Request, Response

from agent.store.base import StoreAway
from telephony.call.ending import EndedReason
from telephony.dialling.machines import act_on
from telephony.server import standing
from telephony.server.checked import form_of, worker_of
from telephony.server.patience import patiently
from telephony.server.worker import Worker
from telephony.twilio import urls

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(urls.ANSWERED_BY_PATH)
async def answered_by(request: Request) -> Response:
    """A person or a machine has answered. Twilio may deliver this twice."""
    worker, form = worker_of(request), await form_of(request)
    call_sid, who = form["CallSid"], form.get("AnsweredBy", "")
    name = urls.calling_agent(request.url.query)
    agent = (await worker.personas.current()).named(name)
    # If the file has lost this agent since, another one does not decide for it
    policy = agent.outbound if agent.persona.name == name else None
    log.info("answered by", call_sid=call_sid, who=who)
    act = act_on(who, "talk" if policy is None else policy.on_machine)
    if act != "talk" and await _was_put_through(worker, call_sid):
        log.info("nothing is done: the agent has put them through", call_sid=call_sid, who=who)
        return Response(status_code=204)
    match act:
        case "talk":
            ends = True
        case "hang_up":
            ends = await standing.end_for_machine(worker, call_sid, EndedReason.MACHINE)
        case "voicemail":
            ends = await standing.end_for_machine(worker, call_sid, EndedReason.VOICEMAIL)
        case never:
            assert_never(never)
    if not ends:
        log.info("nothing is done: the call is screened", call_sid=call_sid, who=who)
    return Response(status_code=204)


async def _was_put_through(worker: Worker, call_sid: str) -> bool:
    """Whether the agent has put the other party of a call through, also if nobody was reached."""
    try:
        record = await patiently(worker.store.look_up(call_sid))
    except StoreAway:
        return False
    step = None if record is None else record.next_step
    return step is not None and step.kind == "transfer" and step.begun
