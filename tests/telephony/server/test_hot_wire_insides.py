"""What our WebSocket class uses of the insides of uvicorn and websockets is there.

If a version of them changes that, these tests name it. Until `telephony/server/hot_wire.py` is
mended, HOT_PATH=sdk does without it.
"""

import asyncio
import inspect

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol

from telephony.server.hot_wire import HotWire
from tests.telephony.server.wires import REQUEST, Wire

USED = {
    WebSocketsSansIOProtocol: (
        *("handle_connect", "handle_ping", "connection_lost", "data_received", "resume_writing"),
        *("pause_writing", "handle_parser_exception", "handle_events", "shutdown"),
        *("send_keepalive_ping", "connection_made"),
    ),
    ServerProtocol: ("events_received", "data_to_send", "receive_data"),
}
"""Methods of others that our class overrides, or that must go on doing what they do."""

HAD = {
    "": ("queue", "writable", "read_paused", "handshake_initiated", "close_sent", "disconnected"),
    "conn": ("eof_sent", "current_size", "state", "parser_exc"),
}
"""Attributes of uvicorn's object, and of the parser in it, that our class reads or sets."""


@pytest.mark.parametrize("kind", USED)
def test_the_methods_of_others_that_it_builds_on_are_there(kind: type) -> None:
    assert [name for name in USED[kind] if not callable(getattr(kind, name, None))] == []


async def test_the_attributes_of_others_that_it_builds_on_are_there() -> None:
    wire = Wire(HotWire)
    await wire.open()
    for owner, names in HAD.items():
        found = getattr(wire.protocol, owner) if owner else wire.protocol
        assert [name for name in names if not hasattr(found, name)] == []
    assert wire.protocol.conn.state is State.OPEN
    assert isinstance(wire.protocol.queue, asyncio.Queue)
    await wire.lose()


def test_uvicorn_creates_it_and_gives_it_a_request_as_it_does_with_its_own() -> None:
    expected = ["self", "config", "server_state", "app_state", "_loop"]
    assert list(inspect.signature(WebSocketsSansIOProtocol.__init__).parameters) == expected
    assert REQUEST.endswith(b"%s\r\n")
