import asyncio

from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.commands import EndCallerAudio, SayToModel, SendCallerAudio
from agent.gemini.outbox import MAX_LIVE_BYTES, ModelOutbox, Outgoing

TENTH_BYTES = MAX_LIVE_BYTES // 10


def live(n: int, size: int = TENTH_BYTES) -> SendCallerAudio:
    return SendCallerAudio(1, bytes([n]) * size)


def held(n: int, size: int = TENTH_BYTES) -> SendCallerAudio:
    return SendCallerAudio(1, bytes([n]) * size, live=False)


async def emptied(outbox: ModelOutbox) -> list[Outgoing]:
    return [await outbox.get() for _ in range(outbox.waiting)]


async def test_commands_come_out_in_the_order_they_went_in() -> None:
    commands: list[Outgoing] = [
        live(1),
        EndCallerAudio(1),
        SayToModel(1, "hello"),
        held(2),
        live(3),
    ]
    outbox = ModelOutbox()
    for command in commands:
        outbox.put(command)
    assert await emptied(outbox) == commands


async def test_one_second_of_live_audio_waits_and_nothing_is_dropped() -> None:
    outbox = ModelOutbox()
    for n in range(10):
        outbox.put(live(n))
    assert (outbox.waiting, outbox.dropped_bytes) == (10, 0)


async def test_beyond_a_second_the_oldest_live_audio_is_dropped_and_counted() -> None:
    outbox = ModelOutbox()
    for n in range(13):
        outbox.put(live(n))
    assert outbox.dropped_bytes == 3 * TENTH_BYTES
    assert await emptied(outbox) == [live(n) for n in range(3, 13)]


async def test_held_audio_and_control_are_never_dropped() -> None:
    outbox = ModelOutbox()
    kept: list[Outgoing] = [*map(held, range(50)), EndCallerAudio(1), SayToModel(1, "hello")]
    for command in [live(1), *kept, live(2, MAX_LIVE_BYTES)]:
        outbox.put(command)
    assert await emptied(outbox) == [*kept, live(2, MAX_LIVE_BYTES)]
    assert outbox.dropped_bytes == TENTH_BYTES


async def test_what_was_taken_makes_room() -> None:
    outbox = ModelOutbox()
    for n in range(100):
        outbox.put(live(n))
        assert await outbox.get() == live(n)
    assert outbox.dropped_bytes == 0


async def test_get_waits_for_the_next_command() -> None:
    outbox = ModelOutbox()
    outbox.put(live(1))
    await outbox.get()
    waiting = asyncio.ensure_future(outbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(live(2))
    assert await waiting == live(2)


async def test_cancelling_get_loses_nothing() -> None:
    outbox = ModelOutbox()
    waiting = asyncio.ensure_future(outbox.get())
    await asyncio.sleep(0)
    outbox.put(live(1))
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await outbox.get() == live(1)


class Socket:
    """Sends what the outbox gives, and has room or not."""

    def __init__(self, outbox: ModelOutbox) -> None:
        self.sent: list[Outgoing] = []
        self.now: list[bytes] = []
        self.room = asyncio.Event()
        self.room.set()
        self._outbox = outbox
        outbox.send_audio_now = self._now

    def _now(self, pcm: bytes) -> bool:
        if self.room.is_set():
            self.sent.append(SendCallerAudio(1, pcm))
            self.now.append(pcm)
        return self.room.is_set()

    async def run(self) -> None:
        """As a session's sender."""
        while True:
            command = await self._outbox.get()
            await self.room.wait()
            self.sent.append(command)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_audio_is_sent_at_once_if_nothing_is_in_front_of_it() -> None:
    outbox = ModelOutbox()
    socket = Socket(outbox)
    outbox.put(live(1))  # nobody sends yet
    assert (socket.sent, outbox.waiting) == ([], 1)
    sender = asyncio.ensure_future(socket.run())
    await settled()
    outbox.put(live(2))
    assert socket.sent == [live(1), live(2)]
    outbox.put(EndCallerAudio(1))
    outbox.put(live(3))  # behind the end of audio, which waits for the sender
    await settled()
    outbox.put(live(4))
    assert socket.sent == [live(1), live(2), EndCallerAudio(1), live(3), live(4)]
    assert socket.now == [live(2).pcm, live(4).pcm]
    sender.cancel()
    await asyncio.wait([sender])
    outbox.put(live(5))  # the session is over
    assert (len(socket.sent), outbox.waiting) == (5, 1)


async def test_audio_waits_while_a_command_is_being_sent_or_the_socket_has_no_room() -> None:
    outbox = ModelOutbox()
    socket = Socket(outbox)
    sender = asyncio.ensure_future(socket.run())
    await settled()
    socket.room.clear()
    outbox.put(SayToModel(1, "hello"))
    await settled()  # it is taken, and not sent
    assert (outbox.waiting, socket.sent) == (0, [])
    for n in range(13):
        outbox.put(live(n))
    assert (outbox.waiting, outbox.dropped_bytes) == (10, 3 * TENTH_BYTES)
    socket.room.set()
    outbox.put(live(13, 1))
    assert socket.sent == []  # there is room, and what came first goes first
    await settled()
    assert socket.sent == [SayToModel(1, "hello"), *map(live, range(4, 13)), live(13, 1)]
    assert not socket.now
    sender.cancel()


@given(st.lists(st.sampled_from(["audio", "text", "turn", "full", "room"]), max_size=40))
def test_whoever_sends_them_commands_keep_their_order(steps: list[str]) -> None:
    async def use() -> None:
        outbox = ModelOutbox()
        socket, put = Socket(outbox), list[Outgoing]()
        sender = asyncio.ensure_future(socket.run())
        for n, step in enumerate([*steps, "room"]):
            match step:
                case "audio" | "text":
                    put.append(live(n, 2) if step == "audio" else SayToModel(1, str(n)))
                    outbox.put(put[-1])
                case "turn":
                    await asyncio.sleep(0)
                case "full":
                    socket.room.clear()
                case _:
                    socket.room.set()
        for _ in range(len(put) + 5):
            await asyncio.sleep(0)
        assert socket.sent == put
        sender.cancel()

    asyncio.run(use())


@given(
    st.lists(
        st.one_of(
            st.integers(1, 2 * MAX_LIVE_BYTES).map(lambda size: live(0, size)),
            st.integers(1, 2 * MAX_LIVE_BYTES).map(lambda size: held(0, size)),
            st.just(EndCallerAudio(1)),
            st.just("get"),
        )
    )
)
def test_any_use_keeps_the_bound_and_accounts_for_every_byte(steps: list[Outgoing | str]) -> None:
    async def use() -> None:
        outbox, put, taken = ModelOutbox(), 0, list[Outgoing]()
        for step in steps:
            if isinstance(step, str):
                taken += [await outbox.get()] if outbox.waiting else []
            else:
                outbox.put(step)
                put += audio_bytes(step)
        waiting = await emptied(outbox)
        assert sum(audio_bytes(c) for c in waiting if is_live(c)) <= MAX_LIVE_BYTES
        assert sum(map(audio_bytes, taken + waiting)) + outbox.dropped_bytes == put
        kept = [c for c in steps if not isinstance(c, str) and not is_live(c)]
        assert [c for c in taken + waiting if not is_live(c)] == kept

    asyncio.run(use())


def audio_bytes(command: Outgoing) -> int:
    return len(command.pcm) if isinstance(command, SendCallerAudio) else 0


def is_live(command: Outgoing) -> bool:
    return isinstance(command, SendCallerAudio) and command.live
