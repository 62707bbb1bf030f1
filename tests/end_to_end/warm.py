"""A server whose agent puts callers through to somebody who is told of them first."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse as model
from agent.simulator.server import SimulatedGemini
from agent.store.base import CallRecord
from telephony.simulator.exchange import Exchange
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest
from telephony.simulator.script import Script, parse
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    LocalWorker,
    place,
    serving,
)

OURS, SALES = "+14155550199", "+14155550101"
SUMMARY = "Morgan asks for a friend."
PERSONA = f"""
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."
[says]
briefing = "A caller."
keys = "Press 1 or 2."
[transfers.sales]
to = "{SALES}"
warm = true
"""
MODEL = model(
    f"""
    greeting = "still-here"
    on_text = "sorry"
    [[turns]]
    expect = "morgan"
    say = "goodbye"
    then = {{ tool = "transfer", arguments = {{ to = "sales", summary = "{SUMMARY}" }} }}
    """
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A worker, the people around it, and the model."""

    worker: LocalWorker
    account: RestAccount
    exchange: Exchange
    model: GeminiServer

    async def call(self, script: Script, **options: Any) -> tuple[Report, CallRecord | None]:
        """A call comes in; its report and record, once it is over."""
        report = await place(script, self.worker.url, rest=self.account, called=OURS, **options)
        return report, await self.worker.server.worker.store.look_up(report.call_sid)

    async def leg(self) -> Report:
        """The report of the one leg that was placed, once it is over."""
        [placed] = self.exchange.placed
        return await self.exchange.report(placed.sid)


def caller(*steps: str) -> Script:
    """A caller who is ready to wait for long, on a slow machine."""
    head = "quiet_ms = 400\npatience_ms = 60000\n"
    return parse(head + "".join(f"[[steps]]\n{step}\n" for step in steps))


def person(*steps: str, **faults: str | int) -> Script:
    """What the target does, and how their telephone rings."""
    given: Mapping[str, str | int] = {"ring_ms": 20} | faults
    switches = "".join(
        f"{name} = {value!r}\n".replace("'", '"') for name, value in given.items() if value
    )
    return parse(
        "quiet_ms = 200\npatience_ms = 60000\n"
        f"[faults]\n{switches}" + "".join(f"[[steps]]\n{step}\n" for step in steps)
    )


@asynccontextmanager
async def desk(
    folder: Path,
    target: Script,
    persona: str = PERSONA,
    on_leg: Callable[[CallEvent], None] = lambda _: None,
) -> AsyncIterator[Desk]:
    """A worker with one agent, whose target does what `target` says, and is told to `on_leg`."""
    (folder / "mira.toml").write_text(persona)
    account = RestAccount(ACCOUNT_SID, AUTH_TOKEN)
    account.add(OURS)
    server = GeminiServer(MODEL, BRISK)
    async with (
        SimulatedGemini(server) as gemini,
        SimulatedRest(account) as rest,
        serving(
            gemini, account_sid=ACCOUNT_SID, personas=folder / "mira.toml", twilio_api_url=rest.url
        ) as worker,
        Exchange(
            account, [worker.url], PUBLIC_URL, target, on_event=lambda _, event: on_leg(event)
        ) as exchange,
    ):
        yield Desk(worker, account, exchange, server)
