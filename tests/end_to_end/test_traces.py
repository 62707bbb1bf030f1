"""A worker's traces: a collector that answers gets them, and no caller notices one that hangs."""

import asyncio
import signal
import socket

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from tests.collector import collecting
from tests.end_to_end.scripts import AGENT, GREETING, HANG_UP, MORGAN, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, worker_process

CALL = caller(SAY_MORGAN, HANG_UP)


async def test_a_collector_gets_the_spans_of_a_call() -> None:
    async with SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini:
        with collecting() as collector:
            sent_to = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
                "OTEL_EXPORTER_OTLP_HEADERS": "x-key=secret",
            }
            async with worker_process(gemini, **sent_to) as worker:
                report = await place(CALL, worker.url)
                worker.process.send_signal(signal.SIGTERM)
                await worker.process.wait()
    *parts, call = collector.spans
    names = [part["name"].split()[0] for part in parts]
    assert names == ["chat", "caller", "chat"]
    assert call["name"].startswith("invoke_agent")
    assert {part["parentSpanId"] for part in parts} == {call["spanId"]}
    assert report.call_sid in str(call)
    assert {key for _, key, _ in collector.posts} == {"secret"}
    assert not any(words in str(collector.posts) for words in (GREETING, MORGAN, "+1415"))


async def test_no_caller_notices_a_collector_that_hangs_and_the_worker_stops_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        address = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        async with (
            SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
            worker_process(gemini, OTEL_EXPORTER_OTLP_ENDPOINT=address) as worker,
        ):
            greeted = caller(HANG_UP)
            async with asyncio.TaskGroup() as tasks:
                placed = [tasks.create_task(place(greeted, worker.url)) for _ in range(3)]
            metrics = (await get(worker.url, "/metrics")).text
            worker.process.send_signal(signal.SIGTERM)
            assert await worker.process.wait() == 0
    assert [each.result().problems for each in placed] == [(), (), ()]
    assert 'offhook_trace_spans_total{fate="exported"}' not in metrics
