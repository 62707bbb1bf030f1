"""Row 43: Gemini's name is not found, its certificate is not trusted, or the key has expired."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.call.ending import EndedReason
from telephony.number.checks import Checkup
from telephony.number.findings import Unwell
from telephony.simulator.report import Announced, CallEvent
from tests.end_to_end.scripts import AGENT, TWO_TURNS
from tests.end_to_end.serving import AUTH_TOKEN, PUBLIC_URL, Gemini, place, serving
from tests.faults.table import Figure, Row, at_most, exactly, scaled

RUNS = 20


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a Gemini is said to be."""

    base_url: str
    ca_file: Path


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way to have no model: its call's reason, and a word of the doctor's about it."""

    name: str
    gemini: Gemini
    reason: EndedReason
    word: str


def measure(share: float) -> Sequence[Figure]:
    """Real calls to a real server, one after another."""
    return asyncio.run(_measure(scaled(RUNS, share)))


async def _measure(runs: int) -> Sequence[Figure]:
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(SimulatedGemini(GeminiServer(AGENT, behaviour)))
            for behaviour in (BRISK, BRISK, replace(BRISK, keys=frozenset()))
        ]
        here, other, without_keys = servers
        troubles = [
            Trouble(
                "DNS",
                Elsewhere("https://gemini.invalid", here.ca_file),
                EndedReason.MODEL_UNREACHABLE,
                "gaierror",
            ),
            Trouble(
                "TLS",
                Elsewhere(here.base_url, other.ca_file),
                EndedReason.MODEL_UNREACHABLE,
                "CERTIFICATE_VERIFY_FAILED",
            ),
            Trouble("key", without_keys, EndedReason.MODEL_REFUSED, "API key not valid"),
        ]
        return [figure for trouble in troubles for figure in [*await _lived(trouble, runs)]]


async def _lived(trouble: Trouble, runs: int) -> Iterator[Figure]:
    longest_ms = wrong = 0
    async with serving(trouble.gemini) as worker:
        for _ in range(runs):
            told: list[CallEvent] = []
            report = await place(TWO_TURNS, worker.url, on_event=told.append)
            heard_ms = [event.at_ms for event in told if isinstance(event, Announced)]
            reason = worker.server.worker.calls.ended_reason(report.call_sid)
            wrong += reason is not trouble.reason or len(heard_ms) != 1
            longest_ms = max(longest_ms, *heard_ms, 0)
    named = await _doctor_says(trouble.gemini)
    return iter(
        [
            Figure(f"{trouble.name}: calls", runs, None),
            Figure(f"{trouble.name}: without their reason and an apology", wrong, exactly(0)),
            Figure(
                f"{trouble.name}: until the apology, longest",
                longest_ms / 1000,
                at_most(5),
                "s",
                wall_time=True,
            ),
            Figure(f"{trouble.name}: the doctor names it", trouble.word in named, exactly(1)),
        ]
    )


async def _doctor_says(gemini: Gemini) -> str:
    checks = Checkup(
        gemini_api_key="simulated",
        google_gemini_base_url=gemini.base_url,
        ssl_cert_file=gemini.ca_file,
        twilio_auth_token=AUTH_TOKEN,
        public_url=PUBLIC_URL,
    )
    async with checks:
        await checks.settings()
        try:
            return await checks.model()
        except Unwell as unwell:
            return str(unwell)


ROWS = (Row(43, "no name, no TLS, no valid key at Gemini", measure),)
