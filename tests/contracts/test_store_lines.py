"""What every store promises of lines: none is lost, doubled, changed or out of order."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import TimeoutError as RedisTimeoutError

from agent.conversation.transcript import Line
from agent.store.base import Fenced, Gap, StoreAway
from agent.store.promises import Store
from agent.store.redis import RedisStore
from tests.contracts.stored import line, take

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


# Appending lines


async def test_appending_returns_the_last_line_stored(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    assert await store.append(call_sid, [], 1) == 0
    assert await store.append(call_sid, [line(1), line(2)], 1) == 2
    assert await store.append(call_sid, [line(3)], 1) == 3
    assert await store.append(call_sid, [], 1) == 3


async def test_a_batch_that_overlaps_adds_only_what_is_new(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1), line(2, text="first")], 1)
    assert await store.append(call_sid, [line(2, text="again"), line(3)], 1) == 3
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.lines == (line(1), line(2, text="first"), line(3))


async def test_a_batch_is_one_round_trip(
    store: RedisStore, call_sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    sent: list[str] = []
    execute = store._client.execute_command

    async def counted(*args: str, **options: object) -> object:
        sent.append(args[0])
        # untyped in redis-py
        return await execute(*args, **options)  # type: ignore[no-untyped-call]  # redis-py

    monkeypatch.setattr(store._client, "execute_command", counted)
    assert await store.append(call_sid, [line(n) for n in range(2, 101)], 1) == 100
    assert sent == ["EVALSHA"]


async def test_a_gap_is_refused_and_nothing_is_written(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    with pytest.raises(Gap, match="expected line 2, got line 3") as caught:
        await store.append(call_sid, [line(3), line(4)], 1)
    assert caught.value.expected_n == 2
    assert await store.append(call_sid, [], 1) == 1


@pytest.mark.parametrize("numbers", [(1, 3), (2, 1), (1, 1), (0, 1), (-1, 0)])
async def test_a_batch_that_does_not_rise_by_one_is_a_programming_error(
    store: RedisStore, call_sid: str, numbers: tuple[int, ...]
) -> None:
    await take(store, call_sid, "a")
    with pytest.raises(ValueError, match="rising by one"):
        await store.append(call_sid, [line(n) for n in numbers], 1)
    assert await store.append(call_sid, [], 1) == 0


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.sampled_from(["take", "append", "append", "retry", "jump"]),
        st.integers(0, 3),  # how many lines more, or how many to send again
    ),
    max_size=25,
)


@given(operations=OPERATIONS)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has its own call
)
async def test_whatever_two_writers_do_no_line_is_lost_doubled_or_overwritten(
    backend: "Backend", store: RedisStore, operations: list[tuple[str, str, int]]
) -> None:
    call_sid = backend.new_call()
    expected: list[Line] = []
    current = 0
    epoch = {"A": 0, "B": 0}
    for step, (writer, operation, count) in enumerate(operations):
        if operation == "take":
            taken = await take(store, call_sid, f"nonce-{step}", writer)
            assert list(taken.lines) == expected
            current = epoch[writer] = taken.epoch
            continue
        first = {
            "append": len(expected) + 1,
            "retry": max(1, len(expected) + 1 - count),
            "jump": len(expected) + 2,
        }[operation]
        batch = [
            line(n, epoch[writer], text=f"{writer}, step {step}")
            for n in range(first, len(expected) + 2 + count)
        ]
        if epoch[writer] < current:
            with pytest.raises(Fenced) as fenced:
                await store.append(call_sid, batch, epoch[writer])
            assert fenced.value.epoch == current
        elif operation == "jump" and batch:
            with pytest.raises(Gap):
                await store.append(call_sid, batch, epoch[writer])
        else:
            new = [entry for entry in batch if entry.n > len(expected)]
            expected += new
            assert await store.append(call_sid, batch, epoch[writer]) == len(expected)
    record = await store.look_up(call_sid)
    assert list(record.lines if record else ()) == expected


async def sent_until_answered(store: Store, call_sid: str, lines: list[Line]) -> int:
    """Append as whoever has lines to store does: what was not answered for is sent again, as it may
    have been carried out or not. A server that is held up for two seconds answers nobody.
    """
    while True:
        try:
            return await store.append(call_sid, lines, 1)
        except StoreAway:
            continue


async def test_retries_at_the_same_moment_do_not_double_a_line(
    backend: "Backend", call_sid: str
) -> None:
    workers = [backend.worker() for _ in range(4)]
    await take(workers[0], call_sid, "a")
    lines = [line(n) for n in range(1, 21)]
    batches = [lines[: 5 * (1 + i % 4)] for i in range(40)]
    stored = await asyncio.gather(
        *(sent_until_answered(workers[i % 4], call_sid, batches[i]) for i in range(40))
    )
    assert set(stored) <= {5, 10, 15, 20}
    record = await workers[0].look_up(call_sid)
    assert record is not None
    assert list(record.lines) == lines


async def test_a_line_whose_answer_was_lost_is_not_doubled_by_its_retry(
    backend: "Backend", call_sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = backend.worker()
    await take(store, call_sid, "a")
    await store.append(call_sid, [], 1)  # from now on the server knows the script
    evaluate, lost = store._client.evalsha, iter([True, True])

    async def unanswered(*args: Any) -> object:
        """It is carried out, and its answer comes too late."""
        answer = await evaluate(*args)
        if next(lost, False):
            raise RedisTimeoutError
        return answer

    monkeypatch.setattr(store._client, "evalsha", unanswered)
    lines = [line(n) for n in range(1, 4)]
    assert await sent_until_answered(store, call_sid, lines) == 3
    assert next(lost, False) is False
    record = await store.look_up(call_sid)
    assert record is not None
    assert list(record.lines) == lines


# Text


@given(text=st.text(max_size=200), heard=st.text(max_size=50))
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has its own call
)
async def test_any_text_comes_back_as_it_was(
    backend: "Backend", store: RedisStore, text: str, heard: str
) -> None:
    call_sid = backend.new_call()
    said = Line(n=1, role="agent", text=text, heard=heard, at_ms=0, epoch=1)
    await store.append(call_sid, [said], 1)
    assert (await take(store, call_sid, "a")).lines == (said,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "a\r\nb",
        "-ERR not an error",
        "ñ Ünïcödé 電話 👩🏽‍🚀 \u202eabc",
        "ä" * 32 * 1024,
    ],
    ids=["empty", "space", "nul", "newline", "error", "unicode", "64 KiB"],
)
async def test_odd_text_comes_back_as_it_was(store: RedisStore, call_sid: str, text: str) -> None:
    said = line(1, text=text)
    await store.append(call_sid, [said], 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.lines == (said,)


async def test_half_a_surrogate_pair_costs_one_character_and_not_the_line(
    store: RedisStore, call_sid: str
) -> None:
    await store.append(call_sid, [line(1, text="so \ud83d it goes")], 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.lines[0].text == "so ? it goes"
