"""What a webhook of Twilio's asks: its checked form, its worker, and the agent of its call."""

from collections.abc import Mapping

from fastapi import Request, Response
from starlette.background import BackgroundTask

from agent.persona.agents import Agent
from agent.store.base import CallRecord
from telephony.server.admission import Refused
from telephony.server.body import BodyError, body_of
from telephony.server.worker import Worker
from telephony.twilio.numbers import is_placed, parties
from telephony.twilio.signature import FORM_LIMIT_BYTES


def worker_of(request: Request) -> Worker:
    """The worker that is asked."""
    worker: Worker = request.app.state.worker
    return worker


def token_of(request: Request) -> str:
    """Twilio's token for this request and all its repetitions; "" if it sent none."""
    return request.headers.get("i-twilio-idempotency-token", "")


async def form_of(
    request: Request, names: tuple[str, ...] = ("CallSid", "AccountSid")
) -> dict[str, str]:
    """The checked form of a webhook, with SIDs in the fields of these `names`.

    Raises `Refused`, which `app` answers with 403.
    """
    try:
        body = await body_of(request, FORM_LIMIT_BYTES)
    except BodyError as error:
        raise Refused("not a form" if error.why == "too long" else error.why) from None
    signature = request.headers.get("x-twilio-signature")
    query = request.scope["query_string"].decode("latin-1")
    admission = worker_of(request).admission
    return dict(admission.webhook(request.url.path, query, body, signature, names=names))


async def agent_of(
    worker: Worker,
    form: Mapping[str, str],
    record: CallRecord | None = None,
    *,
    calls: str = "",
    closed: bool = False,
) -> Agent:
    """The agent that answers: the one that began the call, or else that of the dialled number.

    Args:
        worker: This worker.
        form: The webhook's fields.
        record: What is stored of the call.
        calls: The name of the agent that has placed it, if the webhook has it.
        closed: Whether the webhook tells that the call began outside the hours; what is stored goes
            before that.
    """
    agents = await worker.personas.current()
    name = calls or ("" if record is None else record.persona)
    agent = agents.named(name) if name else agents.answering(parties(form)[0])
    if is_placed(form):
        return agent.calling
    closed = closed if record is None else record.hours == "closed"
    agent = agent.after_hours if closed else agent
    return after_menu(agent, record)


def after_menu(agent: Agent, record: CallRecord | None) -> Agent:
    """The agent, which knows it if a key of its menu was to put the caller through, who is here."""
    step = None if record is None else record.next_step
    if step is None or step.by != "caller" or not step.begun or step.reached:
        return agent
    return agent.after_menu(step.to, step.outcome)


def xml(document: str, task: BackgroundTask | None = None) -> Response:
    """An answer to Twilio, and what is done after it."""
    return Response(document, media_type="text/xml", background=task)
