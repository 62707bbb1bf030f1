"""A proxy that goes wrong, on either leg of a call: the call goes on."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.simulator.server import SimulatedGemini
from telephony.simulator.faults import CallFaults
from telephony.simulator.proxy import Proxy, proxied
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.scripts import CONVERSATION, HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import LocalWorker, offhook_anew, place, run, serving
from tests.end_to_end.watching import PATIENCE_S

ONE_TURN = caller(SAY_MORGAN, HANG_UP)
SOON_BACK = CallFaults(reconnect_ms=(50, 150))


@dataclass(frozen=True, slots=True)
class Behind:
    """A Gemini whose way leads through a proxy; its TLS does not end there."""

    base_url: str
    ca_file: Path


def breaking(proxy: Proxy) -> Callable[[CallEvent], None]:
    """Break every connection, once, when the second reply is heard."""
    heard: list[CallEvent] = []

    def on_event(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            heard.append(event)
            if len(heard) == 2:
                assert proxy.reset() > 0

    return on_event


async def test_a_call_whose_twilio_leg_is_reset_in_mid_reply_goes_on(
    worker: LocalWorker,
) -> None:
    port = urlsplit(worker.url).port
    assert port is not None
    async with proxied("127.0.0.1", port) as proxy:
        report = await place(
            ONE_TURN,
            f"http://127.0.0.1:{proxy.port}",
            faults=SOON_BACK,
            on_event=breaking(proxy),
        )
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.streams) == ((), 2)
    assert record is not None
    assert [(line.role, line.heard) for line in record.lines] == CONVERSATION[:3]


async def test_a_call_whose_gemini_leg_is_reset_in_mid_reply_goes_on(
    gemini: SimulatedGemini,
) -> None:
    async with proxied("127.0.0.1", gemini.port) as proxy:
        behind = Behind(f"https://127.0.0.1:{proxy.port}", gemini.ca_file)
        async with serving(behind) as worker:
            report = await place(ONE_TURN, worker.url, on_event=breaking(proxy))
            record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.problems == ()
    assert [bool(session.handle) for session in gemini.server.sessions] == [False, True]
    assert record is not None
    said = [(line.role, line.text) for line in record.lines]
    assert said[:2] == CONVERSATION[:2]
    assert [text for _, text in said].count(CONVERSATION[0][1]) == 1


async def test_the_command_breaks_what_leads_through_it_and_tells(worker: LocalWorker) -> None:
    to = urlsplit(worker.url).netloc
    given = ("--to", to, "--port", "0", "--every", "0.1", "--only", "reset", "--seed", "3")
    process = await offhook_anew("chaos", *given, environment={})
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            first = (await process.stdout.readline()).decode()
            found = re.fullmatch(rf"(127\.0\.0\.1:\d+) leads to {to}, seed 3\n", first)
            assert found is not None
            host, port = found[1].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            with pytest.raises(ConnectionResetError):
                await reader.read()
            told = (await process.stdout.readline()).decode()
        writer.close()
    finally:
        process.terminate()
        await process.communicate()
    assert re.fullmatch(r" +\d+\.\d\d  reset       [01] connections broken\n", told)


@pytest.mark.parametrize("to", ["127.0.0.1", "127.0.0.1:x", ":8000"])
async def test_a_target_that_is_none_is_one_message(to: str) -> None:
    code, _, err = await run("chaos", "--to", to)
    assert code == 2
    assert err == f"offhook: --to: expected HOST:PORT, such as 127.0.0.1:8000, got {to}\n"
