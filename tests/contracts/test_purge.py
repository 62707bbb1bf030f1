"""A purge removes everything of a call or a caller, and nothing of anybody else."""

from typing import TYPE_CHECKING

from agent.conversation.transcript import Line
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

NUMBER, PARTY = "+14155550123", "a-hash"
LINE = Line(n=1, role="caller", text="hello", heard="hello", at_ms=0, epoch=1)


async def call_with(store: RedisStore, call_sid: str, party: str, caller: str = "") -> None:
    await store.open_call(call_sid, "Ada", caller)
    await store.parties.note(party, call_sid)
    await store.note_caller(f"key of {call_sid}", call_sid, 60)
    assert await store.take(call_sid, "nonce", "worker", 60) is not None
    await store.append(call_sid, [LINE], 1)
    await store.count_resume(call_sid)
    await store.held.hold([call_sid], [], lease_ms=60_000, claim_ms=None)
    await store.legs.watch(call_sid, 60_000)
    await store.requests.begin(f"key of {call_sid}", "body", "attempt")
    await store.requests.end(f"key of {call_sid}", "attempt", "answer", call_sid)


async def left(store: RedisStore) -> str:
    """Everything that the server has, as text."""
    client = store._client
    texts = []
    async for key in client.scan_iter():
        texts.append(str(key))
        match await client.type(key):
            case "zset":
                texts += map(str, await client.zrange(key, 0, -1))
            case "set":
                texts += map(str, await client.smembers(key))
            case "hash":
                texts += map(str, (await client.hgetall(key)).items())
            case "string":
                texts.append(str(await client.get(key)))
    return "\n".join(texts)


async def test_a_purge_of_a_caller_leaves_nothing_of_theirs_and_all_of_others(
    backend: "Backend", store: RedisStore
) -> None:
    noted, by_record, other = (backend.new_call() for _ in range(3))
    await call_with(store, noted, PARTY)
    await call_with(store, by_record, "unknown", NUMBER)
    await store.dials.reserve(PARTY, "2026-11-30", "dial-1", 5)
    before = await left(store)
    await call_with(store, other, "another-hash")
    assert PARTY in before

    calls = await store.parties.calls_of(PARTY, NUMBER)
    assert calls == {noted, by_record}
    found = await store.parties.find(calls, PARTY, lambda agent: f"spender of {agent}")
    assert len(found) > 10
    await store.parties.remove(found)
    rest = await left(store)
    assert not any(each in rest for each in (noted, by_record, PARTY + "\n", NUMBER))
    assert rest.count(other) > 5
    assert len(await store.parties.find(calls, PARTY)) == 0
    assert await store.parties.calls_of(PARTY, NUMBER) == set()


async def test_nothing_of_a_call_is_kept_for_ever(backend: "Backend", store: RedisStore) -> None:
    await call_with(store, backend.new_call(), PARTY, NUMBER)
    client = store._client
    keys = [key async for key in client.scan_iter()]
    assert {"offhook:on_hold", "offhook:leases"} <= set(keys)
    assert [key for key in keys if await client.ttl(key) < 0] == []


async def test_whose_call_it_is_is_known_for_as_long_as_the_call(store: RedisStore) -> None:
    await store.parties.note(PARTY, "CA1")
    await store.parties.note(PARTY, "CA2")
    assert await store.parties.calls_of(PARTY, NUMBER) == {"CA1", "CA2"}
    assert 0 < await store._client.ttl(f"offhook:party:{PARTY}") <= 3_600
