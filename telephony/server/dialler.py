"""Places calls: asks the rules, reserves a turn in the store, and only then asks Twilio.

A call is refused before Twilio hears of it, or it counts. One that Twilio refused is given back;
one of which nobody knows whether it was placed counts, and is not tried again.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import structlog

from agent.persona.agents import Agent, Agents
from agent.persona.outbound import Outbound
from agent.store.base import StoreAway
from telephony.dialling.do_not_call import NOBODY, DoNotCall, read
from telephony.dialling.request import Wish
from telephony.dialling.rules import Allowed, Refusal, decide, too_dear, too_often
from telephony.server.admission import wall_time_ms
from telephony.server.asked_once import DoneOrNot
from telephony.server.patience import patiently
from telephony.server.placing import Placement, place
from telephony.server.twilio_rest import RestRefused
from telephony.server.worker import Worker
from telephony.twilio import urls

LOOK_MS = 250
"""How often a call that waits looks whether the server stops. A stopping server ends its requests
after 2 s, and one that it ends would count as a call.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that Twilio has taken.

    Args:
        call_sid: Its CallSid.
        persona: The agent that calls.
    """

    call_sid: str
    persona: str


class NotPlaced(Exception):  # noqa: N818 - what happened, not that it is an error
    """A call was not placed, or nobody knows.

    Args:
        error: A word for programs, such as ``refused``.
        why: A sentence for people.
        status: The HTTP status that says so.
        rule: The rule that refuses it, if one does.
        retry_s: When it may be tried again, in seconds; 0 if that is not the point.
    """

    def __init__(
        self, error: str, why: str, status: HTTPStatus, *, rule: str = "", retry_s: int = 0
    ) -> None:
        super().__init__(why)
        self.error, self.why, self.status = error, why, status
        self.rule, self.retry_s = rule, retry_s


async def _nothing() -> None:
    """What is to be done before Twilio is asked, if nothing is."""


async def dial(
    worker: Worker, wish: Wish, asks: Callable[[], Awaitable[None]] = _nothing
) -> Placed:
    """Place a call, in its turn.

    Args:
        worker: This worker.
        wish: What is asked.
        asks: Awaited right before Twilio is asked; it may raise `NotPlaced`.

    Raises:
        NotPlaced: It was refused, or failed, or nobody knows.
    """
    agent, policy = _caller(await worker.personas.current(), wish.persona)
    allowed = await _allowed(worker, wish, agent, policy)
    called, dial_id = worker.admission.called(allowed.number.e164), secrets.token_hex(16)
    counted = (called, allowed.day, dial_id)
    try:
        reserved = await patiently(worker.dials.reserve(*counted, policy.per_number_day))
    except StoreAway as away:
        raise NotPlaced(
            "store_away",
            f"the store is away ({away.why}), so nobody knows how often the number was called "
            "today; try again when it is back",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ) from away
    if reserved.refused == "too often":
        raise _refused(too_often(policy))
    if reserved.refused == "full":
        raise NotPlaced(
            "queue_full",
            "one call a second is placed, and too many wait already; try again later",
            HTTPStatus.TOO_MANY_REQUESTS,
            retry_s=-(-reserved.wait_ms // 1000),
        )
    try:
        await _await_turn(worker, reserved.wait_ms)
        if reserved.wait_ms:
            # Meanwhile it may have become too late, or the agent's file may have changed
            agent, policy = _caller(await worker.personas.current(), agent.persona.name)
            await _allowed(worker, wish, agent, policy)
        await asks()
        call_sid = await _placed(worker, allowed, agent, policy)
    except NotPlaced as not_placed:
        if not_placed.error != "unknown":
            await _give_back(worker, counted)
        raise
    await _note(worker, call_sid, agent, wish)
    log.info("call placed", call_sid=call_sid, persona=agent.persona.name)
    return Placed(call_sid, agent.persona.name)


def _caller(agents: Agents, name: str) -> tuple[Agent, Outbound]:
    """The agent that calls."""
    able = [each for each in agents if each.outbound is not None]
    found = [each for each in able if each.persona.name == name or (not name and len(able) == 1)]
    if not found or found[0].outbound is None:
        names = ", ".join(each.persona.name for each in able) or "none"
        raise NotPlaced(
            "no_such_persona",
            f"expected `persona` to name an agent that may call, which are: {names}; a persona "
            "file needs an [outbound] table for that",
            HTTPStatus.UNPROCESSABLE_CONTENT,
        )
    return found[0], found[0].outbound


async def _allowed(worker: Worker, wish: Wish, agent: Agent, policy: Outbound) -> Allowed:
    listed = await asyncio.to_thread(_listed, policy.do_not_call)
    decided = decide(wish, policy, listed, wall_time_ms(), blocked=agent.refuses(wish.to))
    if isinstance(decided, Refusal):
        raise _refused(decided)
    form = {"Direction": "outbound-api", "From": policy.ours, "To": decided.number.e164}
    tariffs = worker.tariffs(form)
    if agent.caps.any and tariffs.known:
        account = worker.till.account(form, agent)
        if of := await worker.till.suffices(account, agent.caps, tariffs):
            raise _refused(too_dear(of))
    return decided


def _refused(refusal: Refusal) -> NotPlaced:
    return NotPlaced("refused", refusal.why, HTTPStatus.FORBIDDEN, rule=refusal.rule)


def _listed(file: Path | None) -> DoNotCall:
    """The numbers that are never called, as the file is now."""
    if file is None:
        return NOBODY
    try:
        status = file.stat()
        return _read(file, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise NotPlaced(
            "do_not_call_unreadable",
            f"the list of numbers that are never called, {file.name}, cannot be read, so nobody is "
            f"called: {why}",
            HTTPStatus.INTERNAL_SERVER_ERROR,
        ) from error


@lru_cache(maxsize=8)
def _read(file: Path, _changed_ns: int, _size: int) -> DoNotCall:
    return read(file.read_text(encoding="utf-8"))


async def _await_turn(worker: Worker, wait_ms: int) -> None:
    for waited_ms in range(0, wait_ms, LOOK_MS):
        if worker.calls.draining:
            break
        await asyncio.sleep(min(LOOK_MS, wait_ms - waited_ms) / 1000)
    if worker.calls.draining:
        raise NotPlaced(
            "stopping",
            "this server stops; try again",
            HTTPStatus.SERVICE_UNAVAILABLE,
            retry_s=1,
        )


async def _placed(worker: Worker, allowed: Allowed, agent: Agent, policy: Outbound) -> str:
    url = worker.settings.public_url
    placement = Placement(
        to=allowed.number.e164,
        ours=policy.ours,
        voice_url=urls.outbound_url(url, agent.persona.name),
        status_url=urls.callback_url(url, urls.STATUS_PATH),
        ring_s=policy.ring_s,
        answered_by_url=urls.outbound_url(url, agent.persona.name, urls.ANSWERED_BY_PATH)
        if policy.on_machine != "talk"
        else "",
    )
    try:
        return await place(worker.settings, placement)
    except RestRefused as refused:
        log.warning("call not placed", why=refused.why, persona=agent.persona.name)
        raise NotPlaced("twilio", refused.why, HTTPStatus.BAD_GATEWAY) from refused
    except DoneOrNot as unknown:
        log.warning(
            "nobody knows whether a call was placed; it counts as one, and is not tried again",
            why=unknown.why,
            persona=agent.persona.name,
        )
        raise NotPlaced(
            "unknown",
            f"nobody knows whether the call was placed: {unknown.why}; look at the calls in the "
            "Twilio Console before you try again",
            HTTPStatus.BAD_GATEWAY,
        ) from unknown


async def _give_back(worker: Worker, counted: tuple[str, str, str]) -> None:
    try:
        await patiently(worker.dials.give_back(*counted))
    except StoreAway as away:
        log.warning("a call that was not placed counts as one", why=away.why)


async def _note(worker: Worker, call_sid: str, agent: Agent, wish: Wish) -> None:
    """Store the call, before it is answered."""
    called = wish.to if agent.keeps_number(told=bool(worker.settings.webhook_url)) else ""
    try:
        consent = agent.mask.text(wish.consent)
        await patiently(worker.dials.placed(call_sid, agent.persona.name, consent, called))
    except StoreAway as away:
        log.warning("placed call not stored", call_sid=call_sid, why=away.why)
