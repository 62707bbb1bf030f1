"""What a message of Twilio's costs between the socket and the call, and back: µs of CPU.

    python tests/benchmarks/bench_wire.py

Both values of `HOT_PATH`, in turns, with a transport that costs nothing: what the kernel and the
event loop do for each message comes on top, and `python -m tests.benchmarks.calls.paths` has it.
Then the parser of websockets, on a frame of a caller. Figures only; nothing is asserted.
"""
# ruff: noqa: T201 -- printing is what this script is for

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # the wires are shared with the tests

import uvloop
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol

from telephony.call.commands import SendMark, SendMedia
from telephony.server.hot_wire import HotWire
from telephony.server.stream import MediaStream
from telephony.server.twilio_wire import TwilioWire
from telephony.simulator import wire as twilio
from tests.telephony.server.frames import text
from tests.telephony.server.wires import Wire

MESSAGES = 4_000
ROUNDS = 5
SID = "MZ" + "0" * 32
ULAW = Random(1).randbytes(1_600)


def main() -> None:
    """Print one table."""
    rounds: dict[type[WebSocketsSansIOProtocol], list[tuple[float, float]]] = {}
    alone = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(ROUNDS):
            for kind in (TwilioWire, HotWire):
                rounds.setdefault(kind, []).append(runner.run(both_ways(kind)))
            alone.append(parser_alone())
    print(f"{f'µs of CPU, median of {ROUNDS} rounds':40}{'sdk':>8}{'fast':>8}{'ratio':>8}")
    for n, what in enumerate(("a frame in, to the call", "a message out, 200 ms or a mark")):
        sdk, fast = (
            statistics.median(both[n] for both in rounds[kind]) for kind in (TwilioWire, HotWire)
        )
        print(f"{what:40}{sdk:8.2f}{fast:8.2f}{sdk / fast:8.1f}")
    print(f"{'websockets alone, to read a frame':40}{statistics.median(alone):8.2f}")


async def both_ways(kind: type[WebSocketsSansIOProtocol]) -> tuple[float, float]:
    """µs for a message in, and for one out."""
    got: list[object] = []
    streams: list[MediaStream] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        streams.append(MediaStream(socket, SID))
        await streams[0].run(got.append)

    wire = Wire(kind, app=app)
    await wire.open()
    wire.line.keeps = False
    frames = [text(twilio.media(n, SID, n, 20 * n, ULAW[:160])) for n in range(MESSAGES)]
    began_s = time.process_time()
    for frame in frames:
        wire.protocol.data_received(frame)
        while not wire.line.reading:  # noqa: ASYNC110 -- as the socket, which is read in turns
            await asyncio.sleep(0)
    came_s = time.process_time()
    for n in range(MESSAGES // 2):
        streams[0].put(SendMedia(SID, 1, ULAW))
        streams[0].put(SendMark(SID, f"r1:{n}"))
        await asyncio.sleep(0)
    await wire.settle()
    went_s = time.process_time()
    assert len(got) == MESSAGES
    await wire.lose()
    return (came_s - began_s) / MESSAGES * 1e6, (went_s - came_s) / MESSAGES * 1e6


def parser_alone() -> float:
    """µs for a frame in, if websockets' parser were used without uvicorn."""
    parser = ServerProtocol()
    parser.state = State.OPEN
    parser.parser = super(ServerProtocol, parser).parse()
    next(parser.parser)
    frame = text(twilio.media(1, SID, 1, 20, ULAW[:160]))
    return cost(lambda: take(parser, frame))


def take(parser: ServerProtocol, frame: bytes) -> list[str]:
    """The texts in it."""
    parser.receive_data(frame)
    return [
        bytes(event.data).decode() for event in parser.events_received() if hasattr(event, "data")
    ]


def cost(what: Callable[[], object]) -> float:
    """µs of CPU."""
    began_s = time.process_time()
    for _ in range(MESSAGES):
        what()
    return (time.process_time() - began_s) / MESSAGES * 1e6


if __name__ == "__main__":
    main()
