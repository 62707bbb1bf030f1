"""What the contracts of the store keep in it: lines, a checkpoint, a call that was taken."""

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line, Role
from agent.store.base import Taken
from agent.store.promises import Store

CHECKPOINT = Checkpoint(
    epoch=1,
    elapsed_ms=12_000,
    wall_time_ms=1_790_000_000_000,
    greeted=True,
    handle="h",
    handle_lines=2,
)


def line(n: int, epoch: int = 1, text: str = "good morning") -> Line:
    """A line; the odd ones are the caller's."""
    role: Role = "caller" if n % 2 else "agent"
    return Line(n=n, role=role, text=text, heard=text[:4], at_ms=1_000 * n, epoch=epoch)


async def take(store: Store, call_sid: str, nonce: str, owner: str = "worker-1") -> Taken:
    """The call, taken by a worker whose stream has this nonce."""
    taken = await store.take(call_sid, nonce, owner, token_ttl_s=60)
    assert taken is not None
    return taken
