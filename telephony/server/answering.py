"""How a call goes to its agent: for the first time, or again. Or why it does not.

Whichever worker is asked gives the answer that the store, and what Twilio says, lead to.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import assert_never

import structlog
from fastapi import Response

from agent.conversation.commands import Impasse
from agent.conversation.consent import going_on
from agent.persona.agents import Agent
from agent.store.base import CallRecord, StoreAway
from telephony.call.ending import EndedReason, NotBegun
from telephony.call.events import CallStatus
from telephony.server import redial, standing, way_out
from telephony.server.checked import agent_of, xml
from telephony.server.patience import patiently
from telephony.server.worker import Worker
from telephony.twilio import twiml, urls
from telephony.twilio.numbers import is_number, is_placed, known_party, parties

MAX_RESUMES = 5
"""How many resumes in 60 s a call may have. A call with more will not recover."""

APOLOGISED_FOR = frozenset({*Impasse, EndedReason.TOO_MANY_RESUMES.value})

log = structlog.get_logger(__name__)


async def answer(
    worker: Worker,
    form: Mapping[str, str],
    agent: Agent,
    record: CallRecord | None,
    again: str,
    *,
    calls: str = "",
) -> Response:
    """Let the agent answer; or, if this worker stops, make Twilio ask `again` elsewhere."""
    if worker.calls.draining:
        return xml(twiml.wait_and_ask(worker.settings.public_url, again))
    _note_numbers(worker, form)
    first = record is None or record.epoch == 0
    begins = first and worker.calls.get(form["CallSid"]) is None
    if begins and not await _begin(worker, form, agent, record):
        told = await turn_away(worker, form, agent, NotBegun.NO_BUDGET)
        return xml(twiml.hangup()) if calls else told
    return await _connect(worker, form, agent, first=first)


async def _begin(
    worker: Worker, form: Mapping[str, str], agent: Agent, record: CallRecord | None
) -> bool:
    """Begin a call, unless a day's money does not suffice for it. Returns whether it has begun."""
    call_sid, tariffs = form["CallSid"], worker.tariffs(form)
    account = worker.till.account(form, agent)
    capped = bool(agent.caps.any and tariffs.known)
    if capped and (of := await worker.till.admits(call_sid, account, agent.caps, tariffs)):
        log.info("a day's money is spent", of=of, call_sid=call_sid, persona=agent.persona.name)
        return False
    await note_party(worker, form)
    left = await redial.left_behind(worker, form, record)
    if capped:
        await worker.till.remember(call_sid, account)
    purse = worker.till.purse(call_sid, account, agent.caps, tariffs, left.checkpoint)
    worker.calls.open(call_sid, agent.persona, tariffs, left.checkpoint, left.lines, purse)
    return True


async def go_on(
    worker: Worker,
    form: Mapping[str, str],
    record: CallRecord | None,
    asks: str,
    *,
    closed: bool = False,
) -> Response:
    """The answer for a call that has had a stream, to the request `asks` (`checked.token_of`),
    which may tell that it began `closed`.
    """
    call_sid = form["CallSid"]
    record = await standing.believed(worker, form, record)
    if (over := await if_over(worker, form, record, asks)) is not None:
        return over
    agent = await agent_of(worker, form, record, closed=closed)
    if (away := await way_out.put_through(worker, form, record, agent, asks)) is not None:
        return xml(away)
    if worker.calls.draining:
        back = urls.back(closed=agent.outside)
        return xml(twiml.wait_and_ask(worker.settings.public_url, back))
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(CallStatus(form.get("CallStatus", "")))
    resumes, left = await standing.resumed(worker, call_sid)
    if resumes > MAX_RESUMES:
        log.warning("too many resumes", call_sid=call_sid, resumes=resumes)
        await standing.complete(worker, call_sid, EndedReason.TOO_MANY_RESUMES)
        return xml(await way_out.without_agent(worker, form, agent, asks))
    _note_numbers(worker, form)
    if left is not None:
        tariffs = worker.tariffs(form)
        purse = worker.purse(call_sid, agent, form, tariffs, left)
        persona = going_on(agent.persona, left.checkpoint)
        worker.calls.open(call_sid, persona, tariffs, left.checkpoint, left.lines, purse)
    return await _connect(worker, form, agent, first=False)


async def if_over(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, asks: str
) -> Response | None:
    """The answer for a call that is over, to the request `asks`; or None if it goes on."""
    reason: str | None = worker.calls.ended_reason(form["CallSid"])
    if record is not None and record.status == "completed":
        reason = record.ended_reason or reason or "completed"
    if reason is None:
        return None
    if reason in NotBegun:  # Twilio asks again: it has not heard the answer
        return xml(_told_why(await agent_of(worker, form, record), NotBegun(reason)))
    if reason == EndedReason.VOICEMAIL:
        return xml(_voicemail(await agent_of(worker, form, record)))
    if reason not in APOLOGISED_FOR:
        return xml(twiml.hangup())
    agent = await agent_of(worker, form, record)
    return xml(await way_out.without_agent(worker, form, agent, asks))


def _voicemail(agent: Agent) -> str:
    """The message for the machine that has answered, and is recording now."""
    if agent.outbound is None or not agent.outbound.voicemail:
        return twiml.hangup()
    return twiml.goodbye(agent.outbound.voicemail, agent.persona.language)


def why_not(agent: Agent, form: Mapping[str, str], *, closed: bool) -> NotBegun | None:
    """Why the agent does not answer this caller, or not now; None if it does."""
    theirs = parties(form)[1]
    if agent.refuses(theirs if is_number(theirs) else ""):
        return NotBegun.BLOCKED
    return NotBegun.CLOSED if closed and agent.closed is None else None


async def turn_away(
    worker: Worker, form: Mapping[str, str], agent: Agent, reason: NotBegun
) -> Response:
    """The answer for a call that is not begun; the reason is stored."""
    log.info("call not begun", reason=reason, call_sid=form["CallSid"], persona=agent.persona.name)
    worker.metrics.not_begun(reason)
    await standing.not_begun(worker, form["CallSid"], reason)
    return xml(_told_why(agent, reason))


def _told_why(agent: Agent, reason: NotBegun) -> str:
    """What a caller hears whose call is not begun."""
    language = agent.persona.language
    match reason:
        case NotBegun.BLOCKED:
            return twiml.reject()
        case NotBegun.CLOSED:
            closed = agent.says.apology if agent.hours is None else agent.hours.closed
            return twiml.goodbye(closed, language)
        case NotBegun.NO_BUDGET:
            return twiml.goodbye(agent.says.spent, language)
        case _:
            assert_never(reason)


async def _connect(
    worker: Worker, form: Mapping[str, str], agent: Agent, *, first: bool
) -> Response:
    """The answer that connects the call to a stream with a token of its own."""
    token = worker.admission.token(form, first=first)
    default = (await worker.personas.current()).default
    name = "" if agent.persona.name == default.persona.name else agent.persona.name
    document = twiml.connect(
        worker.settings.public_url,
        token,
        name,
        placed=is_placed(form),
        closed=agent.outside,
        tried=agent.tried,
        says=agent.notice if first else "",
        language=agent.persona.language,
    )
    return xml(document)


async def note_party(worker: Worker, form: Mapping[str, str]) -> None:
    """Note whose call it is, so that whatever is kept of somebody can be found and removed."""
    if party := known_party(form):
        with suppress(StoreAway):  # what cannot be noted now is found by the call's record alone
            hashed = worker.admission.called(party)
            await patiently(worker.parties.note(hashed, form["CallSid"]))


def _note_numbers(worker: Worker, form: Mapping[str, str]) -> None:
    """Remember a call's numbers for its recording; a stream does not have them."""
    callers = [worker.admission.called(known_party(form))] if known_party(form) else []
    worker.recorder.note_numbers(form["CallSid"], *parties(form), callers=callers)
