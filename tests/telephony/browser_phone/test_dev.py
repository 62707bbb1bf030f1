"""`offhook dev`: the server behind the page, over real sockets and without a browser."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.simulator.script import shipped
from telephony.browser_phone.dev import Dev, serving
from telephony.call.events import CallOpened
from telephony.errors import SettingsError
from telephony.server.observers import Observer
from telephony.simulator import wire
from tests.end_to_end.serving import offhook
from tests.end_to_end.watching import PATIENCE_S, Step, Watch, observer

PERSONA = 'name = "{name}"\ninstructions = "You are {name}."\ngreeting = "Hello, this is {name}."\n'


@asynccontextmanager
async def visiting(
    *observers: Observer, personas: Path | None = None, record: Path | None = None
) -> AsyncIterator[tuple[Dev, httpx.AsyncClient]]:
    """A server, and a client that has opened its page as a browser does."""
    async with (
        serving(shipped("booking"), *observers, personas=personas, record=record) as (dev, _),
        httpx.AsyncClient(
            base_url=dev.url, headers={"origin": dev.url}, trust_env=False, follow_redirects=True
        ) as client,
    ):
        page = await client.get(dev.address)
        assert page.status_code == 200
        assert str(page.url) == f"{dev.url}/"  # the key is not in the address that stays
        yield dev, client


async def asked(client: httpx.AsyncClient, path: str, **body: object) -> Any:
    """What the server answers to the page."""
    return (await client.post(path, json=body)).raise_for_status().json()


async def test_every_call_reads_the_agents_file_anew_and_mistakes_are_told(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(PERSONA.format(name="Ada"), encoding="utf-8")
    steps: Watch[Step] = Watch()
    async with visiting(observer(steps), personas=file) as (_, client):
        first = (await client.get("/phone/about")).json()
        assert (first["agent"], first["model"], first["problem"]) == ("Ada", "simulated", "")

        file.write_text(PERSONA.format(name="Bertram"), encoding="utf-8")
        await asked(client, "/phone/calls")
        opened = steps.seen[0].event
        assert isinstance(opened, CallOpened)
        assert opened.persona.name == "Bertram"
        assert (await client.get("/phone/about")).json()["agent"] == "Bertram"

        file.write_text("nonsense", encoding="utf-8")
        about = (await client.get("/phone/about")).json()
        assert about["agent"] == "Bertram"
        assert "agent.toml" in about["problem"]


async def test_a_stream_needs_the_session_the_origin_and_a_token_that_counts_once() -> None:
    async with visiting() as (dev, client):
        socket = f"ws{dev.url.removeprefix('http')}/twilio/media"
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        own = {"cookie": cookie}
        for headers, origin in (({}, dev.url), (own, "https://evil.example"), (own, None)):
            with pytest.raises(InvalidStatus):
                async with connect(socket, additional_headers=headers, origin=origin, proxy=None):  # type: ignore[arg-type] # a plain str is an origin
                    pass

        placed = (await asked(client, "/phone/calls"))["stream"]
        about = (placed["streamSid"], placed["callSid"], placed["accountSid"])
        for parameters, why in (
            ({}, "missing"), (placed["parameters"], None), (placed["parameters"], "used"),
        ):  # fmt: skip
            async with (
                asyncio.timeout(PATIENCE_S),
                connect(socket, additional_headers=own, origin=dev.url, proxy=None) as stream,  # type: ignore[arg-type] # as above
            ):
                await stream.send(wire.connected())
                await stream.send(wire.start(1, *about, parameters))
                if why is None:
                    assert json.loads(await stream.recv())["event"] == "media"
                    continue
                with pytest.raises(ConnectionClosed) as closed:
                    await stream.recv()
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, why)  # type: ignore[union-attr] # the server closed it
        await asked(client, f"/phone/calls/{placed['callSid']}/end")


async def test_a_call_of_nobody_is_not_found_and_wrong_requests_are_refused() -> None:
    async with visiting() as (_, client):
        assert (await client.post("/phone/calls/CA1/next", json={})).status_code == 404
        assert (await client.get("/phone/calls/CA1/events")).status_code == 404
        call_sid = (await asked(client, "/phone/calls"))["callSid"]
        for wrong in ({"digits": "A"}, {"digits": "1" * 65}, {"answer": "?"}, {"more": 1}):
            path = f"/phone/calls/{call_sid}/next"
            assert (await client.post(path, json=wrong)).status_code == 422
        await asked(client, f"/phone/calls/{call_sid}/end")


async def test_a_call_is_recorded_where_that_is_asked_for(tmp_path: Path) -> None:
    async with visiting(record=tmp_path) as (_, client):
        call_sid = (await asked(client, "/phone/calls"))["callSid"]
        await asked(client, f"/phone/calls/{call_sid}/end")
    (recorded,) = tmp_path.iterdir()  # noqa: ASYNC240 - the server is gone
    assert recorded.name.startswith(call_sid)


async def test_a_port_in_use_and_a_missing_key_are_told_with_the_way_out() -> None:
    async with visiting() as (dev, _):
        with pytest.raises(SettingsError, match="--port: expected a free port"):
            async with serving(shipped("booking"), port=int(dev.url.rpartition(":")[2])):
                pass
    with pytest.raises(SettingsError, match="offhook dev --simulated"):
        async with serving(None):
            pass


async def test_the_command_prints_the_address_and_ends_at_ctrl_c() -> None:
    process = await offhook("dev", "--simulated", "--no-open", "--port", "0", environment={})
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := re.search(rb"http://\S+", await process.stdout.readline())) is None:
                pass
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
            assert "<title>offhook dev</title>" in (await client.get(found[0].decode())).text
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
