"""Rings a simulated person for each call that is placed through the simulated REST API.

calls   tasks of `Exchange`; it ends once they are over
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from telephony.simulator.caller import call
from telephony.simulator.elements import Request
from telephony.simulator.identity import NumberWebhooks
from telephony.simulator.report import CallEvent, Report, never_rang
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.script import Script
from telephony.simulator.workers import Route

INTERVAL_S = 1.0
"""Twilio begins one call a second. What comes faster waits."""


class Waiting:
    """A call that waits for its turn: it can be ended, and nobody is told of that.

    Attributes:
        ended: Set once it was ended.
    """

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether it was ended."""
        return self.ended.is_set()

    @property
    def status(self) -> str:
        """Twilio's status of the call now."""
        return "canceled" if self.over else "queued"

    def redirect(self, request: Request) -> None:
        """Only a call that was answered can be redirected."""
        raise AssertionError(request)

    def run_document(self, document: str) -> None:
        """Only a call that was answered can be redirected."""
        raise AssertionError(document)

    def end(self) -> None:
        """Do not place the call."""
        self.ended.set()

    def cancel(self) -> None:
        """Do not place the call."""
        self.ended.set()


class Exchange:
    """The telephones that a server may call; use with ``async with``.

    Args:
        account: The account that places the calls.
        urls: The workers' base URLs.
        public_url: The server's public URL.
        script: What a called person does.
        people: What the person with a certain number does instead.
        route: Chooses the worker to try first; None for all in turn.
        seed: The seed for all random choices.
        on_event: Called with each event of a call.
        on_report: Called with the report of each call.

    Attributes:
        placed: The calls that were placed, in order.
    """

    def __init__(
        self,
        account: RestAccount,
        urls: Sequence[str],
        public_url: str,
        script: Script,
        *,
        people: Mapping[str, Script] | None = None,
        route: Route | None = None,
        seed: int = 0,
        on_event: Callable[[PlacedCall, CallEvent], None] | None = None,
        on_report: Callable[[PlacedCall, Report], None] | None = None,
    ) -> None:
        self.placed: list[PlacedCall] = []
        self._account, self._urls, self._public_url = account, urls, public_url
        self._people, self._route = people or {}, route
        self._script, self._seed, self._on_event = script, seed, on_event
        self._on_report = on_report
        self._group = asyncio.TaskGroup()
        self._running: dict[str, asyncio.Task[Report]] = {}
        self._free_s = 0.0

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._account.on_placed = self._place
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._account.on_placed = None
        await self._group.__aexit__(kind, error, trace)

    async def report(self, call_sid: str) -> Report:
        """The report of a call that was placed, once it is over."""
        return await self._running[call_sid]

    def _place(self, placed: PlacedCall) -> None:
        now_s = asyncio.get_running_loop().time()
        wait_s = max(0.0, self._free_s - now_s)
        self._free_s = now_s + wait_s + INTERVAL_S
        self.placed.append(placed)
        waiting = self._account.calls[placed.sid] = Waiting()
        ring = self._ring(placed, waiting, wait_s)
        task = self._group.create_task(ring, name=f"phone {placed.sid}")
        self._running[placed.sid] = task

    async def _ring(self, placed: PlacedCall, waiting: Waiting, wait_s: float) -> Report:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await waiting.ended.wait()
            return never_rang(placed.sid, self._seed)
        tell = self._on_event
        script = self._people.get(placed.to, self._script)
        report = await call(
            self._urls,
            self._public_url,
            self._account.auth_token,
            self._account.sid,
            script,
            seed=self._seed,
            route=self._route,
            call_sid=placed.sid,
            on_event=None if tell is None else lambda event: tell(placed, event),
            faults=replace(
                script.faults, outbound=True, status_events=placed.events, audible_say=True
            ),
            caller=placed.to,
            called=placed.calling,
            number=NumberWebhooks(placed.voice, placed.fallback, placed.status),
            placed=placed,
            rest=self._account,
        )
        if self._on_report is not None:
            self._on_report(placed, report)
        return report
