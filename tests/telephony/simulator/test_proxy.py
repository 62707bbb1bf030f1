"""The proxy that goes wrong: what both sides see of each fault, on real sockets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from telephony.simulator.chaos import Kind, Trouble, drawn, make
from telephony.simulator.proxy import Proxy, proxied

PATIENCE_S = 10
ROUND_TRIPS = 50
"""So many on a way that is free, while nothing comes on one that is not."""


class Side:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(size)

    async def end(self) -> str:
        """How it ends for this side."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return "reset" if await self.reader.read() else "eof"
            except ConnectionResetError:
                return "reset"


class Target:
    """A server; each connection to it is another `Side`."""

    def __init__(self) -> None:
        self.port = 0
        self.sides: list[Side] = []
        self.came: asyncio.Queue[Side] = asyncio.Queue()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sides.append(Side(reader, writer))
        self.came.put_nowait(self.sides[-1])


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Side]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Side(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    made = Target()
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for side in made.sides:
        side.writer.close()
    await server.wait_closed()


@pytest.fixture
async def proxy(target: Target) -> AsyncIterator[Proxy]:
    async with proxied("127.0.0.1", target.port) as running:
        yield running


@pytest.fixture
async def near(proxy: Proxy) -> AsyncIterator[Side]:
    async with connected(proxy.port) as side:
        yield side


@pytest.fixture
async def far(near: Side, target: Target) -> Side:
    async with asyncio.timeout(PATIENCE_S):
        return await target.came.get()


async def test_a_network_that_is_well_passes_everything_both_ways(near: Side, far: Side) -> None:
    sent = bytes(range(256)) * 4_096
    near.say(sent)
    far.say(sent[::-1])
    assert await far.hear(len(sent)) == sent
    assert await near.hear(len(sent)) == sent[::-1]


async def test_one_side_may_end_and_still_be_answered(near: Side, far: Side) -> None:
    near.say(b"a question")
    near.writer.write_eof()
    assert await far.reader.read() == b"a question"
    far.say(b"an answer")
    assert await near.hear(9) == b"an answer"


async def test_a_cut_is_the_end_for_both_sides(proxy: Proxy, near: Side, far: Side) -> None:
    assert proxy.cut() == 1
    assert (await near.end(), await far.end()) == ("eof", "eof")


async def test_a_reset_is_an_error_to_both_sides(proxy: Proxy, near: Side, far: Side) -> None:
    assert proxy.reset() == 1
    assert (await near.end(), await far.end()) == ("reset", "reset")


async def test_a_reset_where_one_side_has_broken_off_already_breaks_the_other(
    proxy: Proxy, near: Side, far: Side
) -> None:
    near.writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    near.writer.transport.abort()
    assert await far.end() == "eof"
    assert proxy.reset() == 1
    async with asyncio.timeout(PATIENCE_S):
        while not far.writer.is_closing():  # it cannot be heard, only found by speaking
            far.say(b"is anybody there?")
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", [Proxy.cut, Proxy.reset])
async def test_after_it_others_may_connect(
    proxy: Proxy, near: Side, far: Side, target: Target, fault: Callable[[Proxy], int]
) -> None:
    fault(proxy)
    await near.end()
    async with connected(proxy.port) as again:
        again.say(b"hello")
        async with asyncio.timeout(PATIENCE_S):
            other = await target.came.get()
        assert await other.hear(5) == b"hello"
    assert proxy.accepted == 2


async def test_into_a_black_hole_nothing_passes_until_it_lets_go(
    proxy: Proxy, near: Side, far: Side, target: Target
) -> None:
    proxy.hold()
    near.say(b"hello")
    async with connected(target.port) as direct:
        other = await target.came.get()
        for _ in range(ROUND_TRIPS):
            direct.say(b"1")
            other.say(await other.hear(1))
            await direct.hear(1)
    async with connected(proxy.port) as later:
        later.say(b"me too")
        assert not far.reader._buffer  # type: ignore[attr-defined]  # nothing came, which no call tells
        assert target.came.empty()
        proxy.let_go()
        assert await far.hear(5) == b"hello"
        async with asyncio.timeout(PATIENCE_S):
            assert await (await target.came.get()).hear(6) == b"me too"


async def test_what_is_delayed_comes_late_and_in_order(proxy: Proxy, near: Side, far: Side) -> None:
    proxy.delay_ms = (20, 60)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for n in range(20):
        near.say(bytes([n]))
        await asyncio.sleep(0)
    assert await far.hear(20) == bytes(range(20))
    assert loop.time() - began_s >= 0.02


async def test_where_nobody_listens_a_connection_is_broken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with proxied("127.0.0.1", port) as proxy, connected(proxy.port) as near:
        assert await near.end() == "reset"


async def test_leaving_breaks_what_is_open(target: Target) -> None:
    async with proxied("127.0.0.1", target.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await target.came.get()
        proxy.hold()
        writer.write(b"never to arrive")
    assert proxy.connections == 0
    assert await Side(reader, writer).end() == "reset"
    writer.close()


def test_the_same_seed_draws_the_same_troubles() -> None:
    def some(seed: int) -> list[Trouble]:
        troubles = drawn(seed, 20, tuple(Kind))
        return [next(troubles) for _ in range(100)]

    assert some(1) == some(1) != some(2)
    assert {trouble.kind for trouble in some(1)} == set(Kind)


def test_only_what_is_asked_for_is_drawn() -> None:
    troubles = drawn(1, 20, (Kind.DELAY,))
    for trouble, _ in zip(troubles, range(100), strict=False):
        assert trouble.kind is Kind.DELAY
        assert 0 < trouble.delay_ms[0] <= trouble.delay_ms[1]
        assert trouble.lasts_ms > 0


@pytest.mark.parametrize("kind", Kind)
async def test_a_trouble_tells_what_it_was_and_leaves_the_network_well(
    kind: Kind, proxy: Proxy, near: Side, far: Side
) -> None:
    told = await make(Trouble(0, kind, lasts_ms=1, delay_ms=(1, 2)), proxy)
    assert (
        told
        == {
            Kind.CUT: "1 connections closed",
            Kind.RESET: "1 connections broken",
            Kind.BLACK_HOLE: "nothing passed for 1 ms",
            Kind.DELAY: "1 to 2 ms late for 1 ms",
        }[kind]
    )
    assert proxy.delay_ms == (0, 0)
    async with connected(proxy.port) as again:
        again.say(b"x")
        async with asyncio.timeout(PATIENCE_S):
            while proxy.accepted < 2:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0)
