"""What waits in front of a store is written once, in order, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.commands import AppendLine, SaveCheckpoint
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.transcript import UNWRITTEN, Line
from agent.privacy.masking import CARDS
from agent.store.redis import RedisStore
from telephony.call.events import LinesStored
from telephony.server.ownership import Owned
from telephony.server.store_writer import WAITING_LIMIT_BYTES, StoreEvent, StoreWriter
from tests.end_to_end.watching import Watch

CALL_SID = "CA1"


def line(n: int) -> AppendLine:
    """One that says its own number."""
    return AppendLine(Line(n, "caller", str(n), str(n), 1000 * n, 1))


def owned() -> Owned:
    """The call is ours, under epoch 1."""
    ours = Owned()
    ours.took(1)
    return ours


@asynccontextmanager
async def store_with_a_call(server: FakeServer) -> AsyncIterator[RedisStore]:
    """A store, whose call is taken under epoch 1."""
    store = RedisStore.in_memory(server=server)
    await store.open_call(CALL_SID)
    await store.take(CALL_SID, "nonce", "this worker", 60)
    try:
        yield store
    finally:
        await store.aclose()


async def test_a_line_that_comes_while_lost_lines_are_written_again_is_written_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, told = FakeServer(), Watch[StoreEvent]()
    async with store_with_a_call(server) as store, asyncio.TaskGroup() as tasks:
        writer = StoreWriter(store, CALL_SID, asyncio.Semaphore(), owned())
        running = tasks.create_task(writer.run(told))
        for n in (1, 2):
            writer.put(line(n))
        await told.until(lambda event: event == LinesStored(2))

        await FakeAsyncRedis(server=server).flushall()
        append = store.append

        async def and_another(call_sid: str, lines: Sequence[Line], epoch: int) -> int:
            monkeypatch.undo()
            writer.put(line(4))
            return await append(call_sid, lines, epoch)

        monkeypatch.setattr(store, "append", and_another)
        writer.put(line(3))
        await told.until(lambda event: event == LinesStored(4))
        writer.finish(None)
        await running
        kept = await store.look_up(CALL_SID)
    assert kept is not None
    assert [each.n for each in kept.lines] == [1, 2, 3, 4]


async def test_what_waits_is_bounded_and_what_does_not_fit_keeps_its_place() -> None:
    words = "a" * (WAITING_LIMIT_BYTES // 5)
    async with store_with_a_call(FakeServer()) as store:
        writer = StoreWriter(store, CALL_SID, asyncio.Semaphore(), owned())
        for n in range(1, 5):
            writer.put(AppendLine(Line(n, "caller", words, words, 1000 * n, 1)))
        writer.put(line(5))
        writer.finish(None)
        await writer.run(Watch[StoreEvent]())
        kept = await store.look_up(CALL_SID)
    assert kept is not None
    assert [each.text for each in kept.lines] == [words, words, UNWRITTEN, UNWRITTEN, "5"]
    assert [each.n for each in kept.lines] == [1, 2, 3, 4, 5]


async def test_what_was_measured_goes_with_each_checkpoint_as_it_stands_then() -> None:
    figures, ours = iter(['{"turns":1}', '{"turns":2}']), owned()
    async with store_with_a_call(FakeServer()) as store:
        semaphore, told = asyncio.Semaphore(), Watch[StoreEvent]()
        writer = StoreWriter(store, CALL_SID, semaphore, ours, measured=lambda: next(figures))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(writer.run(told))
            writer.put(SaveCheckpoint(replace(NOTHING_KNOWN, epoch=1)))
            writer.put(line(1))
            await told.until(lambda event: event == LinesStored(1))
            await store.take(CALL_SID, "another", "this worker", 60)
            ours.took(2)  # the same worker, on the next stream
            writer.put(SaveCheckpoint(replace(NOTHING_KNOWN, epoch=2)))
            writer.finish(None)
            await running
        kept = await store.look_up(CALL_SID)
    assert kept is not None
    assert kept.measured == {1: {"turns": 2}}


async def test_what_is_masked_reaches_no_store_also_one_that_has_lost_its_data() -> None:
    said = "It is 4111 1111 1111 1111."
    server, told = FakeServer(), Watch[StoreEvent]()
    checkpoint = replace(NOTHING_KNOWN, epoch=1, owed_words=said, notes=f"{said}\n")
    async with store_with_a_call(server) as store, asyncio.TaskGroup() as tasks:
        writer = StoreWriter(store, CALL_SID, asyncio.Semaphore(), owned(), mask=CARDS)
        running = tasks.create_task(writer.run(told))
        writer.put(AppendLine(Line(1, "caller", said, said, 1_000, 1)))
        await told.until(lambda event: event == LinesStored(1))
        await FakeAsyncRedis(server=server).flushall()
        writer.put(line(2))
        writer.put(SaveCheckpoint(checkpoint))
        await told.until(lambda event: event == LinesStored(2))
        writer.finish(None)
        await running
        kept = await store.look_up(CALL_SID)
    assert kept is not None
    assert [each.text for each in kept.lines] == ["It is [card number].", "2"]
    assert [each.heard for each in kept.lines] == ["It is [card number].", "2"]
    assert kept.checkpoint is not None
    assert kept.checkpoint.owed_words == "It is [card number]."
    assert kept.checkpoint.notes == "It is [card number].\n"


@pytest.mark.parametrize(("besides", "spent"), [(0, 0), (39, 0), (40, 1)])
async def test_what_a_call_costs_besides_counts_towards_what_it_may_cost(
    besides: int, spent: int
) -> None:
    told = Watch[StoreEvent]()
    async with store_with_a_call(FakeServer()) as store, asyncio.TaskGroup() as tasks:
        writer = StoreWriter(store, CALL_SID, asyncio.Semaphore(), owned(), most=100)
        running = tasks.create_task(writer.run(told))
        await store.besides.note(CALL_SID, "leg_1", besides // 2)
        await store.besides.note(CALL_SID, "text_a", besides - besides // 2)
        for n in (1, 2):
            writer.put(SaveCheckpoint(replace(NOTHING_KNOWN, epoch=1), 60))
            writer.put(line(n))
            await told.until(lambda event: isinstance(event, LinesStored), times=n)
        writer.finish(None)
        await running
    assert told.seen.count(BudgetSpent("call")) == spent
