"""Where `/metrics` is served: nowhere, on a port of its own, or in public where that is asked."""

import socket

from agent.simulator.server import SimulatedGemini
from tests.end_to_end.serving import PUBLIC_URL, get, run, serve_environment, worker_process


async def test_metrics_are_not_served_unless_asked_for(gemini: SimulatedGemini) -> None:
    async with worker_process(gemini, METRICS_PORT="") as worker:
        assert (await get(worker.url, "/metrics")).status_code == 404


async def test_metrics_have_a_port_of_their_own_and_nothing_else_is_there(
    gemini: SimulatedGemini,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with worker_process(gemini, METRICS_PORT=str(port)) as worker:
        assert (await get(worker.url, "/metrics")).status_code == 404
        private = f"http://127.0.0.1:{port}"
        assert "offhook_calls_active 0.0" in (await get(private, "/metrics")).text
        assert (await get(private, "/readyz")).status_code == 404


async def test_metrics_are_public_where_both_ports_are_the_same(gemini: SimulatedGemini) -> None:
    async with worker_process(gemini) as worker:  # METRICS_PORT is PORT
        assert "offhook_calls_active 0.0" in (await get(worker.url, "/metrics")).text


async def test_a_metrics_port_that_is_taken_is_named(gemini: SimulatedGemini) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = serve_environment(gemini) | {"METRICS_PORT": str(taken.getsockname()[1])}
        code, _, err = await run("serve", **environment)
    assert code == 2
    assert "METRICS_PORT: expected an address to listen on" in err
    assert "Traceback" not in err
    assert PUBLIC_URL not in err
