"""What a call costs besides the model and the line while the agent has it: the second leg of a
transfer, the minutes for which somebody else had the line, and text messages. It is stored with the
call, and booked for its agent's day.
"""

from collections.abc import Callable, Mapping

import structlog

from agent.conversation.next_step import Stage
from agent.money import prices
from agent.store.base import CallRecord, StoreAway
from agent.store.besides import Besides
from agent.store.budgets import Account
from agent.store.promises import Store
from telephony.call.ending import EndedReason
from telephony.server.patience import patiently
from telephony.server.purse import Till
from telephony.twilio.numbers import is_placed, parties

log = structlog.get_logger(__name__)


class Extras:
    """The extras of this worker's calls.

    Args:
        store: The calls.
        besides: Where it is stored what they cost besides.
        till: Where it is booked.
        paid: Is told what each was, ``leg``, ``line`` or ``text``, and what it has cost in US
            dollars.
    """

    def __init__(
        self,
        store: Store,
        besides: Besides,
        till: Till,
        paid: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        self._store, self._besides, self._till, self._paid = store, besides, till, paid

    async def leg(self, call_sid: str, what: str, to: str, seconds: str) -> None:
        """The second leg of a transfer is over. May be repeated. Raises nothing.

        Args:
            call_sid: The caller's call.
            what: Which leg it is, by a name of its own.
            to: Whom it was to: a number, or a sip: address.
            seconds: How long it has lasted, as Twilio says it; "" if nobody answered.
        """
        usd = _minutes(seconds) * prices.minute_usd("", to, outbound=True)
        await self._costs(call_sid, f"leg_{what}", usd)

    async def line(self, form: Mapping[str, str]) -> None:
        """A call is over. If its caller was put through, or hung up while that still rang, no
        worker has counted the minutes of its own line since. May be repeated. Raises nothing.

        Args:
            form: The fields of the webhook that says so.
        """
        call_sid, seconds = form["CallSid"], form.get("CallDuration", "")
        try:
            record = await patiently(self._store.look_up(call_sid))
        except StoreAway as away:
            log.warning("cost not stored", call_sid=call_sid, what="line", why=away.why)
            return
        if record is None or not _was_away(record):
            return
        ours, theirs = parties(form)
        minutes = max(0, _minutes(seconds) - _minutes(str(record.seconds)))
        usd = minutes * prices.minute_usd(ours, theirs, outbound=is_placed(form))
        await self._costs(call_sid, "line", usd)

    async def text(self, call_sid: str, what: str, segments: int) -> None:
        """A text message was sent, or perhaps was. Raises nothing.

        Args:
            call_sid: The call in which it was sent.
            what: Which message it is, by a name of its own.
            segments: How many segments it takes.
        """
        await self._costs(call_sid, f"text_{what}", segments * prices.TEXT_USD)

    async def _costs(self, call_sid: str, what: str, usd: float) -> None:
        if not usd:
            return
        try:
            new = await patiently(self._besides.note(call_sid, what, prices.nano(usd)))
            record = await patiently(self._store.look_up(call_sid)) if new else None
        except StoreAway as away:
            log.warning("cost not stored", call_sid=call_sid, what=what, usd=usd, why=away.why)
            return
        if new:
            self._paid(what.partition("_")[0], usd)
        account = None if record is None else Account.from_json(record.account)
        if account is not None:
            await self._till.pay_besides(call_sid, account, usd, what)


def _was_away(record: CallRecord) -> bool:
    """Whether no worker had the line when the call ended. Whether somebody had answered may be told
    later.
    """
    step = record.next_step
    if record.ended_reason == EndedReason.TRANSFERRED:
        return True
    if step is None or record.status != "completed":
        return False
    return step.kind == "transfer" and step.stage is Stage.RUNNING


def _minutes(seconds: str) -> int:
    """How many minutes have begun in so many seconds, as Twilio says them; 0 for "" and "0"."""
    return -(-int(seconds) // 60) if seconds.isdecimal() else 0
