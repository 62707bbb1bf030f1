"""The menu of keys that callers hear before a model is dialled for them, if the agent has one.

A key that leads to somebody is stored as the call's next step, and claimed by the request that
tells of the key (see `way_out`): so it is dialled once or never, whichever workers are asked.
"""

from collections.abc import Mapping

import structlog

from agent.conversation.next_step import Asked
from agent.persona.agents import Agent
from agent.persona.menu import AGENT, HANG_UP, TRANSFER
from agent.store.base import CallRecord, StoreAway
from telephony.server import way_out
from telephony.server.patience import patiently
from telephony.server.worker import Worker
from telephony.twilio import twiml
from telephony.twilio.numbers import is_placed

MOST_ROUNDS = 2
"""How often a caller hears it, if their keys mean nothing."""

log = structlog.get_logger(__name__)


def offered(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, agent: Agent
) -> str | None:
    """The document that begins a call with the menu; None if the agent answers at once.

    Args:
        worker: The worker that is asked.
        form: The fields of the call's first webhook.
        record: What is stored of the call. While the store is away, nobody knows what the caller
            has heard already, and the agent answers.
        agent: Who is called. Outside its hours it has no menu.
    """
    failed = "ErrorUrl" in form  # another webhook did, and may do so again
    begun = record is None or record.next_step is not None or worker.calls.get(form["CallSid"])
    if agent.menu is None or agent.outside or is_placed(form) or failed or begun:
        return None
    return _said(worker, agent, 1)


async def chosen(
    worker: Worker, form: Mapping[str, str], agent: Agent, request: str, rounds: int
) -> str | None:
    """The document for a caller who has pressed a key, or none.

    Args:
        worker: The worker that is asked.
        form: The webhook's fields.
        agent: Who is called.
        request: Twilio's token for this request and all its repetitions; "" if there is none.
        rounds: How often the caller has heard the menu.

    Returns:
        The document; None if the agent answers now: the caller wants it, or has pressed nothing, or
        nothing that is in the menu, or somebody who was dialled already, or cannot be.
    """
    key = form.get("Digits", "")
    if agent.menu is None or not key:
        return None
    choice = agent.menu.keys.get(key, "")
    log.info("a key was pressed in the menu", call_sid=form["CallSid"], choice=choice)
    if choice == HANG_UP:
        return twiml.hangup()
    if choice.startswith(TRANSFER):
        return await _put_through(worker, form, agent, choice.removeprefix(TRANSFER), request)
    known = choice == AGENT or not 0 < rounds < MOST_ROUNDS
    return None if known else _said(worker, agent, rounds + 1)


async def _put_through(
    worker: Worker, form: Mapping[str, str], agent: Agent, name: str, request: str
) -> str | None:
    call_sid = form["CallSid"]
    if name not in agent.transfers:  # its owner has just removed it
        return None
    try:
        asked = Asked("transfer", name, "caller")
        step, mine = await patiently(worker.store.claim_step(call_sid, request, asked))
    except StoreAway as away:
        log.warning("transfer not begun", call_sid=call_sid, why=away.why)
        return None
    if step is None or not mine or (to := agent.transfers.get(step.to)) is None:
        return None
    return way_out.dial(worker, form, to.to, agent, step)


def _said(worker: Worker, agent: Agent, rounds: int) -> str | None:
    if (menu := agent.menu) is None:
        return None
    url, language = worker.settings.public_url, agent.persona.language
    return twiml.menu(url, menu.says, menu.timeout_s, rounds, language)
