"""A server that places calls, and the simulated people whom it calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.store.base import CallRecord
from telephony.server.observers import Observer
from telephony.simulator.exchange import Exchange
from telephony.simulator.http_client import http_client
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.rest_server import SimulatedRest
from telephony.simulator.script import Script
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    Gemini,
    LocalWorker,
    serving,
)
from tests.end_to_end.watching import PATIENCE_S
from tests.end_to_end.webhook import Webhook

API_TOKEN = "a-token-of-thirty-two-characters"
OURS, THEIRS = "+14155550199", "+14155550123"
CONSENT = "web form of 30 November 2026"

PERSONA = f"""
name = "Grace"
instructions = "You call people who have asked for it."
default = true
[outbound]
from = "{OURS}"
regions = ["US"]
hours = "00:00-24:00"
per_number_day = 1
"""


@dataclass(frozen=True, slots=True)
class Office:
    """A worker that places calls, and everything around it."""

    worker: LocalWorker
    account: RestAccount
    exchange: Exchange

    async def ask(self, token: str | None = API_TOKEN, **wish: Any) -> httpx.Response:
        """`POST /calls`, of a call that may be placed unless `wish` says otherwise."""
        given = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers = httpx.Headers(given, encoding="latin-1")
        async with http_client(timeout_s=PATIENCE_S) as client:
            body: dict[str, Any] = {"to": THEIRS, "consent": CONSENT} | wish
            return await client.post(f"{self.worker.url}/calls", json=body, headers=headers)

    async def over(self, call_sid: str) -> tuple[Report, CallRecord | None]:
        """A call's report and record, once it is over for Twilio and stored as ended.

        Twilio hangs up before the worker has stored what it was told.
        """
        report = await self.exchange.report(call_sid)
        store = self.worker.server.worker.store
        async with asyncio.timeout(PATIENCE_S):
            record = await store.look_up(call_sid)
            while record is not None and record.status != "completed":
                await asyncio.sleep(0.01)
                record = await store.look_up(call_sid)
        return report, record


@asynccontextmanager
async def office(
    gemini: Gemini,
    folder: Path,
    script: Script,
    *observers: Observer,
    persona: str = PERSONA,
    on_event: Callable[[PlacedCall, CallEvent], None] | None = None,
    redis_url: str = "",
    api_token: str = API_TOKEN,
    webhook: Webhook | None = None,
) -> AsyncIterator[Office]:
    """A worker with one agent that may call, and people who do what `script` says."""
    (folder / "grace.toml").write_text(persona)
    account = RestAccount(ACCOUNT_SID, AUTH_TOKEN)
    account.add(OURS)
    async with (
        SimulatedRest(account) as rest,
        serving(
            gemini,
            *observers,
            account_sid=ACCOUNT_SID,
            personas=folder,
            twilio_api_url=rest.url,
            redis_url=redis_url,
            api_token=api_token,
            webhook=webhook,
        ) as worker,
        Exchange(account, [worker.url], PUBLIC_URL, script, on_event=on_event) as exchange,
    ):
        yield Office(worker, account, exchange)
