"""What every store promises about a caller's calls, on a server in memory and on a real one."""

from typing import TYPE_CHECKING

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

TTL_S = 60


async def test_a_caller_who_calls_again_is_known(backend: "Backend") -> None:
    here, there = backend.worker(), backend.worker()
    caller, first, second = (backend.new_call() for _ in range(3))
    assert await here.note_caller(caller, first, TTL_S) is None
    assert await there.note_caller(caller, second, TTL_S) == first
    assert await here.note_caller(caller, second, TTL_S) == second
    assert await here.note_caller(f"{caller}0", second, TTL_S) is None


async def test_what_another_call_left_is_what_the_first_owner_finds(
    store: RedisStore, call_sid: str
) -> None:
    lines = (
        Line(n=1, role="agent", text="Good morning.", heard="Good morning.", at_ms=0, epoch=0),
        Line(n=2, role="caller", text="Hello?", heard="Hello?", at_ms=900, epoch=0),
    )
    checkpoint = Checkpoint(0, 1_000, 1_790_000_000_000, greeted=False, handle="", handle_lines=0)
    await store.append(call_sid, lines, 0)
    await store.append(call_sid, lines, 0)
    await store.save_checkpoint(call_sid, checkpoint, 0)
    taken = await store.take(call_sid, "a", "worker-1", TTL_S)
    assert taken is not None
    assert (taken.epoch, taken.checkpoint, taken.lines) == (1, checkpoint, lines)


async def test_who_watches_a_call_is_told_what_twilio_says_of_it(
    backend: "Backend", call_sid: str
) -> None:
    here, there = backend.worker(), backend.worker()
    statuses: list[str] = []
    epochs: list[int] = []
    async with here.leases() as leases:
        assert await there.announce_status(call_sid, "completed") == 0
        assert await leases.watch(call_sid, epochs.append, statuses.append)
        assert await there.announce_status(call_sid, "no-answer") == 1
        await there.take(call_sid, "a", "worker-2", TTL_S)
        await leases.wait_released(call_sid, 1, timeout_ms=0)
        await there.announce_released(call_sid, 1)
        assert await leases.wait_released(call_sid, 1, timeout_ms=10_000)
    assert (statuses, epochs) == (["no-answer"], [1])
