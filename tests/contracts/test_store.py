"""What every store promises, on a server in memory and on a real one."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import TimeoutError as RedisTimeoutError

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line, Role
from agent.store.base import Fenced, Gap, Store, StoreAway, Taken
from agent.store.redis import CONNECTION, RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

CHECKPOINT = Checkpoint(
    epoch=1,
    elapsed_ms=12_000,
    wall_time_ms=1_790_000_000_000,
    greeted=True,
    handle="h",
    handle_lines=2,
)


def line(n: int, epoch: int = 1, text: str = "good morning") -> Line:
    role: Role = "caller" if n % 2 else "agent"
    return Line(n=n, role=role, text=text, heard=text[:4], at_ms=1_000 * n, epoch=epoch)


async def take(store: Store, call_sid: str, nonce: str, owner: str = "worker-1") -> Taken:
    taken = await store.take(call_sid, nonce, owner, token_ttl_s=60)
    assert taken is not None
    return taken


# The call record


async def test_a_call_is_opened_as_ringing_and_owned_by_nobody(
    store: RedisStore, call_sid: str
) -> None:
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch, record.owner) == (
        "ringing",
        "",
        0,
        "",
    )
    assert record.checkpoint is None
    assert record.lines == ()


async def test_whether_a_call_came_within_the_hours_is_stored_once(
    store: RedisStore, call_sid: str
) -> None:
    opened = await store.open_call(call_sid, "Ada", hours="closed")
    again = await store.open_call(call_sid, "Ada", hours="open")
    assert (opened.hours, again.hours) == ("closed", "closed")
    assert (await store.open_call(f"{call_sid}1")).hours == "open"


async def test_a_call_nobody_opened_is_not_found(store: RedisStore, call_sid: str) -> None:
    assert await store.look_up(call_sid) is None


async def test_opening_again_changes_nothing(store: RedisStore, call_sid: str) -> None:
    await store.open_call(call_sid)
    await take(store, call_sid, "a")
    assert (await store.open_call(call_sid)).status == "in-progress"
    await store.end_call(call_sid, 1, "caller hung up")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch, record.owner) == (
        "completed",
        "caller hung up",
        1,
        "worker-1",
    )


async def test_who_called_stands_in_the_record_and_in_nothing_that_is_printed(
    store: RedisStore, call_sid: str
) -> None:
    await store.open_call(call_sid, "Ada", "+14155550123")
    record = await store.open_call(call_sid, "Ada", "+14155550124")
    assert record.caller == "+14155550123"
    assert "+1415" not in f"{record}"


async def test_what_one_worker_stores_another_finds(backend: "Backend", call_sid: str) -> None:
    here, there = backend.worker(), backend.worker()
    await here.open_call(call_sid)
    epoch = (await take(here, call_sid, "a")).epoch
    lines = (line(1), line(2), line(3))
    await here.append(call_sid, lines, epoch)
    await here.save_checkpoint(call_sid, CHECKPOINT, epoch)

    record = await there.look_up(call_sid)
    assert record is not None
    assert (record.status, record.owner, record.epoch) == ("in-progress", "worker-1", 1)
    assert record.lines == lines
    assert record.checkpoint == CHECKPOINT


async def test_calls_do_not_mix(backend: "Backend", store: RedisStore) -> None:
    one, other = backend.new_call(), backend.new_call()
    await take(store, one, "a")
    await store.append(one, [line(1)], 1)
    assert await store.look_up(other) is None
    assert (await take(store, other, "a")).lines == ()


async def test_the_names_of_keys_and_fields_are_those_others_rely_on(store: RedisStore) -> None:
    await take(store, "CA123", "nonce")
    await store.append("CA123", [replace(line(1), text="hello", heard="hell")], 1)
    checkpoint = replace(CHECKPOINT, elapsed_ms=42_900, began_ms=30_000, tokens=700)
    await store.save_checkpoint("CA123", checkpoint, 1, cost=12_500_001)
    await store.count_resume("CA123")

    redis = store._client
    assert {key async for key in redis.scan_iter()} == {
        "offhook:{CA123}:call",
        "offhook:{CA123}:lines",
        "offhook:{CA123}:checkpoint",
        "offhook:{CA123}:token:nonce",
        "offhook:{CA123}:resumes",
    }
    assert await redis.hgetall("offhook:{CA123}:call") == {
        "status": "in-progress",
        "ended_reason": "",
        "epoch": "1",
        "owner": "worker-1",
        "usd": "0.012500001",
        "tokens": "700",
        "seconds": "12",
    }
    [(entry_id, fields)] = await redis.xrange("offhook:{CA123}:lines") or []
    assert entry_id == "1-1"
    assert list((fields or {}).items()) == [
        ("n", "1"),
        ("role", "caller"),
        ("text", "hello"),
        ("heard", "hell"),
        ("at_ms", "1000"),
        ("epoch", "1"),
    ]


# Taking a call


async def test_taking_hands_over_checkpoint_and_lines(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    lines = (line(1), line(2))
    await store.append(call_sid, lines, 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    taken = await take(store, call_sid, "b", owner="worker-2")
    assert taken == Taken(epoch=2, checkpoint=CHECKPOINT, lines=lines, listeners=0)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.owner, record.epoch) == ("worker-2", 2)


async def test_a_token_is_good_once(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    assert await store.take(call_sid, "a", "worker-2", 60) is None
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.owner, record.epoch) == ("worker-1", 1)


async def test_of_a_thousand_that_redeem_one_token_at_once_one_is_accepted(
    backend: "Backend", call_sid: str
) -> None:
    """A worker redeems as many at once as it has connections. One that finds none free within a
    second is refused, and these are more streams in one instant than any worker gets.
    """
    owners = iter(range(1000))

    async def redeem(worker: RedisStore) -> list[Taken | None]:
        return [await worker.take(call_sid, "a", f"worker-{n}", 60) for n in owners]

    workers = [backend.worker() for _ in range(4)]
    connections = [worker for worker in workers for _ in range(CONNECTION["max_connections"])]
    redeemed = await asyncio.gather(*(redeem(worker) for worker in connections))
    answers = [answer for each in redeemed for answer in each]
    assert len(answers) == 1000
    accepted = [answer for answer in answers if answer is not None]
    assert [taken.epoch for taken in accepted] == [1]


async def test_no_two_owners_ever_hold_the_same_epoch(backend: "Backend", call_sid: str) -> None:
    workers = [backend.worker() for _ in range(4)]
    answers = await asyncio.gather(
        *(workers[i % 4].take(call_sid, f"nonce-{i}", f"worker-{i}", 60) for i in range(100))
    )
    assert sorted(taken.epoch for taken in answers if taken) == list(range(1, 101))


async def test_a_completed_call_cannot_be_taken(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "caller hung up")
    assert await store.take(call_sid, "b", "worker-2", 60) is None


async def test_an_unreadable_checkpoint_costs_the_checkpoint_and_not_the_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store._client.set(f"offhook:{{{call_sid}}}:checkpoint", '{"version":', ex=60)
    taken = await take(store, call_sid, "b")
    assert taken.checkpoint is None
    assert taken.lines == (line(1),)


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


# Fencing


async def test_a_replaced_owner_can_write_nothing(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await take(store, call_sid, "b", owner="worker-2")
    before = await store.look_up(call_sid)
    for write in (
        store.append(call_sid, [line(2)], 1),
        store.append(call_sid, [line(1)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        store.end_call(call_sid, 1, "worker lost"),
    ):
        with pytest.raises(Fenced) as caught:
            await write
        assert caught.value.epoch == 2
    assert await store.look_up(call_sid) == before


async def test_lines_and_a_checkpoint_may_follow_the_end_of_the_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.mark_completed(call_sid, "completed")
    await store.append(call_sid, [line(1)], 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.lines) == ("completed", (line(1),))


async def test_a_status_callback_does_not_overwrite_why_the_call_ended(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "caller hung up")
    await store.mark_completed(call_sid, "completed")
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "caller hung up")


async def test_a_status_callback_may_be_the_first_to_say_that_the_call_is_over(
    store: RedisStore, call_sid: str
) -> None:
    await store.mark_completed(call_sid, "no-answer")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason) == ("completed", "no-answer")
    assert await store.take(call_sid, "a", "worker-1", 60) is None


async def test_a_call_that_goes_on_after_all_can_be_taken_again(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "a guess")
    await store.reopen(call_sid, "another reason")
    assert await store.take(call_sid, "b", "worker-1", 60) is None
    await store.reopen(call_sid, "a guess")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch) == ("in-progress", "", 1)
    taken = await store.take(call_sid, "c", "worker-1", 60)
    assert taken is not None
    assert taken.epoch == 2


async def test_the_first_reason_a_call_ended_for_stands(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.mark_completed(call_sid, "too many resumes")
    await store.end_call(call_sid, 1, "caller hung up")
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.ended_reason == "too many resumes"


# Forgetting


async def test_an_owner_brings_back_what_the_server_has_forgotten(
    store: RedisStore, call_sid: str
) -> None:
    lines = [line(1), line(2), line(3, epoch=2)]
    await take(store, call_sid, "a")
    await store.append(call_sid, lines[:2], 1)
    await take(store, call_sid, "b")
    await store._client.flushall()

    with pytest.raises(Gap) as caught:
        await store.append(call_sid, lines[2:], 2)
    assert await store.append(call_sid, lines[caught.value.expected_n - 1 :], 2) == 3
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.epoch, list(record.lines)) == ("in-progress", 2, lines)
    with pytest.raises(Fenced):
        await store.append(call_sid, [line(4)], 1)


async def test_an_epoch_is_not_given_twice_when_only_the_lines_are_left(
    store: RedisStore, call_sid: str
) -> None:
    for nonce in "abc":
        await take(store, call_sid, nonce)
    await store.append(call_sid, [line(1, epoch=3)], 3)
    await store._client.delete(f"offhook:{{{call_sid}}}:call")
    with pytest.raises(Fenced):
        await store.append(call_sid, [line(2)], 2)
    taken = await take(store, call_sid, "d")
    assert (taken.epoch, len(taken.lines)) == (4, 1)
    assert await store.append(call_sid, [line(2, epoch=4)], 4) == 2


async def test_scripts_the_server_has_forgotten_are_sent_again(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store._client.script_flush()
    assert await store.append(call_sid, [line(2)], 1) == 2


# Expiry


async def ttls_s(store: RedisStore) -> dict[str, int]:
    redis = store._client
    return {key: await redis.ttl(key) async for key in redis.scan_iter()}


async def test_no_key_is_ever_without_an_expiry(backend: "Backend", store: RedisStore) -> None:
    opened, ringing, ended, called_back = (backend.new_call() for _ in range(4))
    await store.open_call(ringing)
    await store.mark_completed(called_back, "busy")
    await store.append(backend.new_call(), [line(1)], 1)
    await store.save_checkpoint(backend.new_call(), CHECKPOINT, 1)
    await store.end_call(backend.new_call(), 1, "caller hung up")
    await store.append(backend.new_call(), [], 1)
    for call_sid in (opened, ended):
        await take(store, call_sid, "a")
        await store.append(call_sid, [line(1)], 1)
        await store.save_checkpoint(call_sid, CHECKPOINT, 1)
        await store.count_resume(call_sid)
    await store.end_call(ended, 1, "caller hung up")
    assert await store.take(ended, "b", "worker-1", 60) is None

    expiries = await ttls_s(store)
    assert len(expiries) == 5 * 2 + 1 + 7 + 1
    for key, ttl_s in expiries.items():
        bound_s = 60 if ":token:" in key or key.endswith(":resumes") else 3600
        assert 0 < ttl_s <= bound_s, key


async def test_every_write_renews_the_expiry_of_the_whole_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    names = [f"offhook:{{{call_sid}}}:{name}" for name in ("call", "lines", "checkpoint")]

    async def renewed() -> bool:
        expiries = await ttls_s(store)
        for name in names:
            await store._client.expire(name, 10)
        return all(expiries[name] > 3000 for name in names)

    assert await renewed()
    assert not await renewed()
    for write in (
        store.open_call(call_sid),
        store.append(call_sid, [line(2)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        take(store, call_sid, "b"),
        store.end_call(call_sid, 2, "caller hung up"),
        store.mark_completed(call_sid, "completed"),
    ):
        await write
        assert await renewed()


async def test_resumes_are_counted_within_their_window(store: RedisStore, call_sid: str) -> None:
    assert [await store.count_resume(call_sid) for _ in range(3)] == [1, 2, 3]
    [ttl_s] = (await ttls_s(store)).values()
    assert 0 < ttl_s <= 60
    await store._client.expire(f"offhook:{{{call_sid}}}:resumes", 10)  # 50 s later
    assert await store.count_resume(call_sid) == 4
    [ttl_s] = (await ttls_s(store)).values()
    assert 0 < ttl_s <= 10
    await store._client.pexpire(f"offhook:{{{call_sid}}}:resumes", 0)  # the window is over
    assert await store.count_resume(call_sid) == 1


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


# Being away


async def test_a_store_that_is_away_says_so_and_works_again_when_it_is_back(
    backend: "Backend", store: RedisStore, call_sid: str
) -> None:
    await store.ping()
    await store.open_call(call_sid)
    backend.stop()
    for request in (
        store.ping(),
        store.open_call(call_sid),
        store.look_up(call_sid),
        store.take(call_sid, "a", "worker-1", 60),
        store.append(call_sid, [line(1)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        store.end_call(call_sid, 1, "caller hung up"),
        store.mark_completed(call_sid, "completed"),
        store.count_resume(call_sid),
        store.announce_released(call_sid, 1),
        store.listeners(call_sid),
    ):
        with pytest.raises(StoreAway) as caught:
            await request
        assert caught.value.why == "unreachable"
    backend.start()
    await store.ping()
    assert (await take(store, call_sid, "a")).epoch == 1
    assert await store.append(call_sid, [line(1)], 1) == 1


async def test_a_store_can_be_made_while_its_server_is_away(
    backend: "Backend", call_sid: str
) -> None:
    backend.stop()
    store = backend.worker()
    with pytest.raises(StoreAway):
        await store.ping()
    backend.start()
    assert (await store.open_call(call_sid)).status == "ringing"
