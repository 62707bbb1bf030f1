"""Runs a whole call over real HTTP and WebSockets: Twilio, and a caller who follows a script.

HTTP client      opened and closed by `call`
TaskGroup        of `call`; holds what `call_flow` and `stream` leave running beside a stream
"""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from telephony.audio.formats import PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.wav import write_mono, write_stereo
from telephony.simulator import report
from telephony.simulator.call_flow import CallFlow
from telephony.simulator.clock import Clock
from telephony.simulator.conference import Conferences
from telephony.simulator.director import Director
from telephony.simulator.faults import CallFaults
from telephony.simulator.http_client import http_client
from telephony.simulator.identity import CALLED, CALLER, Identity, NumberWebhooks
from telephony.simulator.report import AgentQuiet, CallEvent, Report, WebhookAnswered
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.script import Script
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.workers import Route, Workers

MS_A_SECOND = 1000
"""Of the time that a telephone rings; tests ring for less."""


async def call(
    urls: Sequence[str],
    public_url: str,
    auth_token: str,
    account_sid: str,
    script: Script,
    *,
    seed: int = 0,
    on_event: Callable[[CallEvent], None] | None = None,
    heard_path: Path | None = None,
    stereo_path: Path | None = None,
    call_sid: str | None = None,
    faults: CallFaults | None = None,
    route: Route | None = None,
    caller: str = CALLER,
    called: str = CALLED,
    number: NumberWebhooks | None = None,
    placed: PlacedCall | None = None,
    rest: RestAccount | None = None,
    interrupted: asyncio.Event | None = None,
    allow_warnings: bool = False,
) -> Report:
    """Place one call and stay on the line until it ends, in real time.

    Args:
        urls: The workers' base URLs, to which the connections go.
        public_url: The server's public URL, which is signed and is in its TwiML.
        auth_token: The account's token, which signs requests.
        account_sid: AC and 32 hex digits.
        script: The caller's script.
        seed: The seed for all random choices.
        on_event: Called with each event as it happens; must not block.
        heard_path: The WAV file of what the caller heard: PCM16, mono, 8 kHz.
        stereo_path: The WAV file of both sides: the caller on the left, the heard audio on the
            right.
        call_sid: CA and 32 hex digits; None for a new one.
        faults: The switches of this Twilio; None for the script's.
        route: Chooses the worker to try first; None for all in turn.
        caller: The other party: a number, ``client:…``, ``sip:…``, or a word.
        called: Our number.
        number: The number's webhooks; None for those of a linked number.
        placed: How it was placed by REST, if it was.
        rest: The REST account that can redirect the call; None for none.
        interrupted: When it is set, the caller hangs up at once.
        allow_warnings: Whether Twilio's warnings are counted without being problems.

    Returns:
        The report, even if the call failed; see `Report.problems`.
    """
    faults = script.faults if faults is None else faults
    async with http_client(keeps_alive=False) as client:
        events: list[CallEvent] = []

        def tell(event: CallEvent) -> None:
            events.append(event)
            if on_event is not None:
                on_event(event)

        clock, workers, director = Clock(), Workers(urls, route), Director(script)
        sid = call_sid or f"CA{secrets.token_hex(16)}"
        identity = Identity(
            sid,
            account_sid,
            auth_token,
            public_url.rstrip("/"),
            caller,
            called,
            outbound=faults.outbound,
            webhooks=number,
            **_placed(placed),
        )
        webhooks = Webhooks(
            client, workers, auth_token, clock, tell, retry_pause_ms=faults.retry_pause_ms
        )
        rng = random.Random(seed)  # noqa: S311 - repeatable
        async with asyncio.TaskGroup() as group:
            flow = CallFlow(
                identity=identity,
                director=director,
                webhooks=webhooks,
                workers=workers,
                rng=rng,
                faults=faults,
                clock=clock,
                tell=tell,
                group=group,
                conferences=Conferences() if rest is None else rest.conferences,
            )
            if rest is not None:
                rest.calls[sid] = flow
            leaving = group.create_task(_leave_when(interrupted, director), name="leaving")
            await flow.run()
            leaving.cancel()
        if director.ear.hears:
            tell(AgentQuiet(director.ear.turns[-1].ended_ms, bytes(director.ear.sound)))
    told = _report(flow, sid, seed, director, events, allow_warnings=allow_warnings)
    if heard_path is not None:
        write_mono(heard_path, told.heard_pcm(), PHONE_RATE_HZ)
    if stereo_path is not None:
        write_stereo(stereo_path, told.said_pcm(), told.heard_pcm(), PHONE_RATE_HZ)
    return told


def _placed(placed: PlacedCall | None) -> dict[str, Any]:
    """The part of an identity that REST decides."""
    if placed is None:
        return {}
    return {
        "ring_limit_ms": placed.ring_s * MS_A_SECOND,
        "answered_by": placed.answered_by,
        "waits_for_machine": placed.waits,
    }


async def _leave_when(interrupted: asyncio.Event | None, director: Director) -> None:
    if interrupted is not None:
        await interrupted.wait()
        director.leave()


def _report(
    flow: CallFlow,
    call_sid: str,
    seed: int,
    director: Director,
    events: Sequence[CallEvent],
    *,
    allow_warnings: bool,
) -> Report:
    lines = tuple(flow.lines)
    warned = () if allow_warnings else report.warnings_of(lines)
    complaints = tuple(each for line in lines for each in line.complaints)
    played_bytes = sum(line.playout.played_bytes for line in lines)
    return Report(
        call_sid=call_sid,
        seed=seed,
        ended_by=flow.ended_by,
        problems=(*flow.problems, *warned),
        duration_ms=flow.ended_ms,
        streams=len(lines),
        heard_ms=played_bytes // PHONE_SAMPLES_PER_MS,
        webhooks=tuple(each for each in events if isinstance(each, WebhookAnswered)),
        turns=tuple(director.ear.turns),
        clears=report.clears_of(lines),
        silences=report.silences_of(lines),
        marks=report.marks_of(lines),
        warnings=Counter(each.code for each in complaints),
        complaints=complaints,
        announced=tuple(flow.announced),
        dialled=tuple(flow.dialled),
        sounds=flow.hearing.sounds,
        lines=lines,
        pieces=tuple((began_ms, bytes(ulaw)) for began_ms, ulaw in flow.hearing.pieces),
    )
