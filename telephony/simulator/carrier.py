"""Delivers the text messages of an account, or does not, and reports how that goes.

messages      tasks of `Carrier`; it ends once all of them are reported
HTTP client   opened and closed by `Carrier`
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from telephony.simulator.clock import Clock
from telephony.simulator.documents import Documents
from telephony.simulator.faults import CallFaults
from telephony.simulator.http_client import http_client
from telephony.simulator.report import WebhookAnswered
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_messages import MessageStatus, SentMessage, callback_params
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.workers import Workers

REACHES: Mapping[MessageStatus, tuple[MessageStatus, ...]] = {
    "accepted": (),
    "queued": (),
    "sent": ("sent",),
    "delivered": ("sent", "delivered"),
    "undelivered": ("sent", "undelivered"),
    "failed": ("failed",),
}
"""The statuses on the way to the last one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a message.

    Args:
        status: Its last status.
        error: Twilio's error code with that, such as 30003 for a telephone that is off.
        step_ms: How long each status takes.
    """

    status: MessageStatus = "delivered"
    error: int = 0
    step_ms: int = 0


DELIVERED = Outcome()


class Carrier:
    """Takes the messages of an account; use with ``async with``.

    Args:
        account: The account that sends them.
        urls: The workers' base URLs, to which status callbacks go.
        outcomes: What becomes of messages to a number; the others are delivered.
        faults: The switches `status_order`, `status_late_ms` and `status_twice`, which count for
            the callbacks of messages too.
        seed: The seed for all random choices.
        tell: Called with each message and each of its later statuses.

    Attributes:
        problems: Descriptions of callbacks that failed.
    """

    def __init__(
        self,
        account: RestAccount,
        urls: Sequence[str],
        *,
        outcomes: Mapping[str, Outcome] | None = None,
        faults: CallFaults | None = None,
        seed: int = 0,
        tell: Callable[[SentMessage], None] | None = None,
    ) -> None:
        self.problems: list[str] = []
        self._account, self._urls, self._outcomes = account, urls, outcomes or {}
        self._faults = faults or CallFaults()
        self._rng = random.Random(seed)  # noqa: S311 - repeatable
        self._tell = tell
        self._client = http_client()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        await self._group.__aenter__()
        clock = Clock()
        webhooks = Webhooks(
            self._client, Workers(self._urls), self._account.auth_token, clock, _ignore
        )
        self._documents = Documents(webhooks, None, self.problems.append)
        self._account.on_message = self._take
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._account.on_message = None
        await self._group.__aexit__(kind, error, trace)
        await self._client.__aexit__(kind, error, trace)

    def _take(self, message: SentMessage) -> None:
        self._group.create_task(self._carry(message), name=f"message {message.sid}")

    async def _carry(self, message: SentMessage) -> None:
        outcome = self._outcomes.get(message.to, DELIVERED)
        if self._tell is not None:
            self._tell(message)
        told: list[SentMessage] = []
        way = ("queued",) if message.service else ()
        for status in (*way, *REACHES[outcome.status]):
            await asyncio.sleep(outcome.step_ms / 1000)
            message = message.became(status, outcome.error if status == outcome.status else 0)
            self._account.show(message)
            if self._tell is not None:
                self._tell(message)
            if self._faults.status_order == "as-it-goes":
                await self._report(message)
            else:
                told.append(message)
        if self._faults.status_order == "shuffled":
            self._rng.shuffle(told)
        for each in reversed(told):
            await self._report(each)

    async def _report(self, message: SentMessage) -> None:
        if message.callback is None:
            return
        for _ in range(1 + self._faults.status_twice):
            await asyncio.sleep(self._rng.randint(*self._faults.status_late_ms) / 1000)
            params = callback_params(message, self._account.sid)
            await self._documents.tell(message.callback, params)


def _ignore(_: WebhookAnswered) -> None:
    """Nobody follows the answers to a message's callbacks."""
