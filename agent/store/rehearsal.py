"""Does everything that a call asks of a store, once, under a made-up CallSid.

A server that answers PING may still refuse a script, a channel or a write: permissions are given
for each command, and a full or read-only server accepts no writes. The data that is written expires
by itself, so use a store with a short expiry; the budget of a day stays for two days.
"""

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line
from agent.store.base import StoreAway
from agent.store.budgets import Account, Booking
from agent.store.redis import RedisStore

OWNER = "rehearsal"
TOKEN_TTL_S = 60
LEASE_MS = 60_000


async def rehearse(store: RedisStore, call_sid: str) -> None:
    """Go through all store operations of a call.

    Args:
        store: The store to test.
        call_sid: A name that no call has.

    Raises:
        StoreAway: The store refuses an operation that a call needs; the message says why.
    """
    await store.open_call(call_sid)
    await store.count_resume(call_sid)
    # Raised after the block, which would wrap it in a group
    async with store.leases() as leases:
        watched = await leases.watch(call_sid, lambda _epoch: None)
        await leases.unwatch(call_sid)
    if not watched:
        raise StoreAway("refused", "a subscription to the call's channel was not confirmed")
    await store.listeners(call_sid)
    taken = await store.take(call_sid, "nonce", OWNER, TOKEN_TTL_S)
    if taken is None:
        raise StoreAway("refused", "expected to own a call that nobody has, got none")
    epoch = taken.epoch
    await store.append(call_sid, [Line(1, "caller", "Hello", "Hello", 0, epoch)], epoch)
    await store.save_checkpoint(call_sid, Checkpoint(epoch, 0, 0, True, "", 0), epoch)
    await store.announce_released(call_sid, epoch)
    await store.announce_status(call_sid, "in-progress")
    await store.note_caller(call_sid, call_sid, TOKEN_TTL_S)
    await store.budgets.remember(call_sid, Account(call_sid, "1970-01-01", ""))
    await store.budgets.book(Booking(Account(call_sid, "1970-01-01", ""), call_sid, 0))
    # Claim no orphans: the server's workers must rescue them
    await store.hold([call_sid], [], lease_ms=LEASE_MS, claim_ms=None)
    await store.hold([], [call_sid], lease_ms=LEASE_MS, claim_ms=None)
    await store.end_call(call_sid, epoch, OWNER)
    await store.mark_completed(call_sid, OWNER)
    await store.reopen(call_sid, OWNER)
    await store.mark_completed(call_sid, OWNER)
    await store.look_up(call_sid)
