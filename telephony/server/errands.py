"""Does what is left to do for calls that are over: has a summary written, and posts the webhook.

Any worker does it for any worker's call. The store keeps what is to be done, when, and how often
it was tried, so an errand outlives workers. Nothing here is waited for by a call.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import assert_never

import structlog

from agent.conversation.message import Message
from agent.money import prices
from agent.store.base import CallRecord, StoreAway
from agent.store.budgets import Account
from agent.store.errands import Attempt, Errand, Errands, Step
from agent.store.promises import Store
from agent.summary.writer import Author, NotWritten, Outcome, write
from agent.tools.threads import TooMany, in_thread
from telephony.call.ending import NotBegun
from telephony.server.admission import wall_time_ms
from telephony.server.calls import Calls
from telephony.server.delivery import GONE, NO_ANSWER, Delivery
from telephony.server.message_sound import LONGEST_CALL_S, sounds_of
from telephony.server.metrics import Metrics
from telephony.server.patience import patiently
from telephony.server.personas import Personas
from telephony.server.posts import messages_in, told, told_of_messages, tool_calls
from telephony.server.purse import Till

AT_ONCE = 2
"""How many errands one worker does at a time, so that calls are not disturbed."""

INTERVAL_S = 1.0
CLAIM_MS = 180_000
"""How long a worker has for one step: two answers of the model, of 60 s each, and some."""

STILL_RUNNING_MS = 60_000
FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 2 * 3_600_000
SUMMARY_ATTEMPTS = 9
"""The last of them comes about five hours after the first."""

DELIVERY_MS = 24 * 3_600_000
"""How long the webhook is tried."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """With what errands are done.

    Args:
        author: Who writes summaries; None if nobody does.
        delivery: The webhook; None if there is none.
        recordings: Where the calls of this worker are recorded; None if none is.
    """

    author: Author | None
    delivery: Delivery | None
    recordings: Path | None = None


class ErrandRunner:
    """The errands of one worker; `run` runs beside the calls.

    Args:
        means: With what errands are done.
        calls: The calls of this worker; while they are drained, nothing new is begun.
        store: The store with the calls.
        errands: The errands in it.
        personas: The agents, which say what a summary tells besides.
        metrics: Counts attempts.
        random: For the length of pauses.
        till: Where the cost of summaries is booked.
    """

    def __init__(
        self,
        means: Means,
        calls: Calls,
        store: Store,
        errands: Errands,
        personas: Personas,
        metrics: Metrics,
        random: Random,
        till: Till | None = None,
    ) -> None:
        self._means, self._till = means, till
        self._calls, self._store, self._errands = calls, store, errands
        self._personas, self._metrics, self._random = personas, metrics, random
        self._busy = 0
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Do errands until cancelled. What is then half done is at once another worker's."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._freed.clear()
                for errand in await self._claimed():
                    tasks.create_task(self.do(errand), name=f"errand {errand.conversation_id}")
                try:
                    async with asyncio.timeout(INTERVAL_S):
                        await self._freed.wait()
                except TimeoutError:
                    pass

    async def _claimed(self) -> list[Errand]:
        if self._calls.draining or self._busy >= AT_ONCE:
            return []
        try:
            return list(await patiently(self._errands.claim(AT_ONCE - self._busy, CLAIM_MS)))
        except StoreAway:
            return []

    async def do(self, errand: Errand) -> None:
        """Do the next step of an errand, and say in the store when it is due again."""
        self._busy += 1
        try:
            await self._next_step(errand)
        except asyncio.CancelledError:  # the worker stops: another one need not wait for the claim
            with suppress(StoreAway):
                await patiently(self._errands.postpone(errand, 0))
            raise
        except StoreAway as away:  # the claim ends by itself, and the step is tried again
            log.warning("errand interrupted", call_sid=errand.conversation_id, why=away.why)
        except Exception:  # a bug in one errand must not end the others, or the calls
            log.exception("errand failed", call_sid=errand.conversation_id)
        finally:
            self._busy -= 1
            self._freed.set()

    async def _next_step(self, errand: Errand) -> None:
        attempt = await patiently(self._errands.begin(errand))
        if attempt == "gone":
            await patiently(self._errands.settle(errand))
            return
        if attempt == "running":
            await patiently(self._errands.postpone(errand, STILL_RUNNING_MS))
            return
        record = await self._record(errand.conversation_id)
        if record is not None and record.ended_reason == NotBegun.BLOCKED:
            await self._advance(errand, "done")  # its owner wants to hear nothing of this caller
            return
        if record is None or attempt.step == "done":
            await patiently(self._errands.settle(errand))
            return
        match attempt.step:
            case "summary":
                await self._summarise(errand, attempt, record)
            case "message":
                await self._post_messages(errand, attempt, record)
            case "webhook":
                await self._post_call(errand, attempt, record)
            case _:
                assert_never(attempt.step)

    async def _record(self, call_sid: str) -> CallRecord | None:
        """What is stored of a call. It may be older than what its agent's file masks by now."""
        record = await patiently(self._store.look_up(call_sid))
        if record is None:
            return None
        mask = (await self._personas.current()).named(record.persona).mask
        kept = record.checkpoint
        return replace(
            record,
            caller=mask.number(record.caller),
            lines=mask.lines(record.lines),
            checkpoint=None if kept is None else mask.checkpoint(kept),
        )

    async def _summarise(self, errand: Errand, attempt: Attempt, record: CallRecord) -> None:
        author = self._means.author
        then: Step = "message" if messages_in(record) else "webhook"
        if author is None:
            await self._advance(errand, then)
            return
        agent = (await self._personas.current()).named(record.persona)
        try:
            tariff = prices.of_model(author.model, wall_time_ms())
            told_tools = tool_calls(record)
            outcome = await write(author, record.lines, agent.summary, told_tools, tariff)
        except NotWritten as failed:
            if failed.passing and attempt.number < SUMMARY_ATTEMPTS:
                self._metrics.summarised("retry")
                await self._again(errand, attempt)
                return
            outcome = Outcome("failed", author.model, reason=failed.why)
        self._metrics.summarised(outcome.status)
        if outcome.status == "failed":
            log.warning("no summary", call_sid=errand.conversation_id, why=outcome.reason)
        if outcome.usd is not None:
            self._metrics.paid_for_summary(outcome.usd)
            account = Account.from_json(record.account)
            if account is not None and self._till is not None:
                await self._till.pay_besides(errand.conversation_id, account, outcome.usd)
        await self._advance(errand, then, outcome.to_json(), outcome.usd)

    async def _post_call(self, errand: Errand, attempt: Attempt, record: CallRecord) -> None:
        call_sid = errand.conversation_id
        body = told(call_sid, record, await patiently(self._errands.summary(call_sid)))
        await self._post(errand, attempt, f"msg_{call_sid}_{attempt.since_ms}", body, "done")

    async def _post_messages(self, errand: Errand, attempt: Attempt, record: CallRecord) -> None:
        call_sid, taken = errand.conversation_id, messages_in(record)
        # The id is of what was taken: should the call go on after all, it is not posted as another
        newest = max((message.number for message in taken), default=0)
        body = told_of_messages(
            call_sid, record, taken, await self._sounds(call_sid, record, taken)
        )
        await self._post(errand, attempt, f"msg_{call_sid}_message_{newest}", body, "webhook")

    async def _sounds(
        self, call_sid: str, record: CallRecord, taken: Sequence[Message]
    ) -> Sequence[str | None]:
        folder = self._means.recordings
        if folder is None or record.seconds > LONGEST_CALL_S:
            return [None] * len(taken)
        began_ms = 0 if record.checkpoint is None else record.checkpoint.began_ms
        try:
            return await in_thread(lambda: sounds_of(folder, call_sid, taken, began_ms))
        except TooMany:
            return [None] * len(taken)

    async def _post(
        self, errand: Errand, attempt: Attempt, message_id: str, body: bytes, then: Step
    ) -> None:
        """Post once. `then` comes next when it is taken, or given up."""
        delivery, call_sid = self._means.delivery, errand.conversation_id
        if delivery is None:
            await self._advance(errand, then)
            return
        status, why = await delivery.post(message_id, wall_time_ms() // 1000, body)
        self._metrics.posted("no answer" if status == NO_ANSWER else str(status))
        if 200 <= status < 300:
            await self._advance(errand, then)
        elif status == GONE or attempt.age_ms + self._pause_ms(attempt) > DELIVERY_MS:
            log.warning(
                "webhook given up",
                call_sid=call_sid,
                status=status,
                why=why,
                attempts=attempt.number,
                hint="WEBHOOK_URL must answer with 2xx",
            )
            self._metrics.posted("given up")
            await self._advance(errand, then)
        else:
            log.info(
                "webhook not taken", call_sid=call_sid, status=status, why=why, n=attempt.number
            )
            await self._again(errand, attempt)

    async def _advance(
        self, errand: Errand, step: Step, summary: str | None = None, usd: float | None = None
    ) -> None:
        await patiently(self._errands.advance(errand, step, summary, usd))
        if step == "done":
            await patiently(self._errands.settle(errand))
        else:
            await patiently(self._errands.postpone(errand, 0))

    async def _again(self, errand: Errand, attempt: Attempt) -> None:
        pause_ms = int(self._pause_ms(attempt) * self._random.uniform(0.8, 1.2))
        await patiently(self._errands.postpone(errand, pause_ms))

    def _pause_ms(self, attempt: Attempt) -> int:
        return int(min(FIRST_PAUSE_MS * 3.0 ** min(attempt.number - 1, 10), LONGEST_PAUSE_MS))
