"""Runs a recorded call through a real server. Server, store and both ends share one process."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress

from agent.persona.agents import NOTICE, Agent, Agents
from agent.simulator.behaviour import Behaviour
from agent.simulator.endpoint import Endpoint
from telephony import settings
from telephony.call.commands import Command, EndCall
from telephony.call.events import CallOpened, Event
from telephony.replay.recording import Recording
from telephony.server.app import on_free_port
from telephony.settings import Settings
from telephony.simulator.http_client import http_client
from telephony.simulator.identity import Identity
from telephony.wire_replay.call_time import CallTime
from telephony.wire_replay.carried import Carried
from telephony.wire_replay.cues import Cues
from telephony.wire_replay.model import RecordedGemini
from telephony.wire_replay.twilio import Twilio

PUBLIC_URL = "https://replay.example"
AUTH_TOKEN = "a-replay-needs-no-secret"  # noqa: S105 - of a simulated account
ACCOUNT_SID = "AC" + "0" * 32

SETTLE_S = 3.0
"""How long the call may go on after the last message."""


async def run(
    recording: Recording, said: Cues, turn: AbstractAsyncContextManager[object]
) -> Carried:
    """Replay a call in real time.

    Args:
        recording: The events of the call.
        said: The same as cues.
        turn: A context that is entered when the server and both ends are up. The call runs in it.

    Returns:
        Everything that the server sent and stored.
    """
    carried, time, call_sid = (
        Carried(),
        CallTime(s.started.at_ms for s in said.streams),
        recording.opened.call_sid,
    )
    identity = Identity(call_sid, ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL)
    over = asyncio.Event()
    begin: list[Callable[[], None]] = []

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        del call_sid, now_ms
        if isinstance(event, CallOpened):
            for begins in begin:
                begins()
        if any(isinstance(command, EndCall) for command in commands):
            over.set()

    async with AsyncExitStack() as stack:
        gemini = await stack.enter_async_context(Endpoint(RecordedGemini(said, time)))
        server, url = await stack.enter_async_context(on_free_port(_settings(gemini), observe))
        calls = server.worker.calls
        persona = recording.opened.persona
        notice = NOTICE if persona.recording_days else ""  # or it would not be recorded
        server.worker.personas.use(Agents([Agent(persona, default=True, notice=notice)]))
        client = await stack.enter_async_context(http_client(keeps_alive=False))
        twilio = Twilio(said, identity, url, client, carried, time, gemini.wake)
        begin += [twilio.begin, lambda: gemini.server.begin(gemini.now_ms())]
        async with turn:
            await twilio.play(calls.drain)
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await over.wait()
            await calls.drain(0)  # returns when everything is stored
        record = await server.worker.store.look_up(call_sid)
    carried.sessions = gemini.server.sessions
    carried.problems += gemini.server.problems
    if record is not None:
        carried.lines, carried.ended_reason = record.lines, record.ended_reason
    return carried


def _settings(gemini: Endpoint[RecordedGemini]) -> Settings:
    return settings.load(
        gemini_api_key="simulated",
        gemini_model=min(Behaviour().models),
        google_gemini_base_url=gemini.base_url,
        ssl_cert_file=gemini.ca_file,
        public_url=PUBLIC_URL,
        twilio_auth_token=AUTH_TOKEN,
        twilio_account_sid=ACCOUNT_SID,
        redis_url="",
        record_dir="",
        host="127.0.0.1",
        drain_budget_s=0,
    )
