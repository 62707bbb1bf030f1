"""Does everything that a call asks of a store, once, under a made-up id.

A server that answers PING may still refuse a script, a channel or a write: permissions are given
for each command, and a full or read-only server accepts no writes. The data that is written expires
by itself, so use a store with a short expiry; the budget of a day stays for two days.
"""

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.next_step import PLACES
from agent.conversation.transcript import Line
from agent.store.base import StoreAway
from agent.store.budgets import Account, Booking
from agent.store.index import CALLS
from agent.store.purge import Found
from agent.store.redis import RedisStore

OWNER = "rehearsal"
TOKEN_TTL_S = 60
LEASE_MS = 60_000


async def rehearse(store: RedisStore, conversation_id: str) -> None:
    """Go through all store operations of a call.

    Args:
        store: The store to test.
        conversation_id: A name that no call has.

    Raises:
        StoreAway: The store refuses an operation that a call needs; the message says why.
    """
    await store.open_call(conversation_id)
    await store.count_resume(conversation_id)
    # Raised after the block, which would wrap it in a group
    async with store.leases() as leases:
        watched = await leases.watch(conversation_id, lambda _epoch: None)
        await leases.unwatch(conversation_id)
    if not watched:
        raise StoreAway("refused", "a subscription to the call's channel was not confirmed")
    await store.listeners(conversation_id)
    taken = await store.take(conversation_id, "nonce", OWNER, TOKEN_TTL_S)
    if taken is None:
        raise StoreAway("refused", "expected to own a call that nobody has, got none")
    epoch = taken.epoch
    await store.append(conversation_id, [Line(1, "caller", "Hello", "Hello", 0, epoch)], epoch)
    await store.save_checkpoint(conversation_id, Checkpoint(epoch, 0, 0, True, "", 0), epoch)
    await store.announce_released(conversation_id, epoch)
    await store.note_verdict(conversation_id, OWNER)
    await store.announce_status(conversation_id, "in-progress")
    await store.note_caller(conversation_id, conversation_id, TOKEN_TTL_S)
    await store.budgets.remember(conversation_id, Account(conversation_id, "1970-01-01", ""))
    await store.budgets.book(
        Booking(Account(conversation_id, "1970-01-01", ""), conversation_id, 0)
    )
    await store.dials.placed(conversation_id, "", "", "")
    await store.dials.reserve(conversation_id, "1970-01-01", OWNER, 1)
    await store.dials.give_back(conversation_id, "1970-01-01", OWNER)
    await store.legs.hold(conversation_id, 1, "", "")
    await store.legs.move(conversation_id, 1, PLACES)
    await store.legs.watch(conversation_id, LEASE_MS)  # claim none: the workers look after them
    await store.legs.unwatch(conversation_id)
    # Claim no orphans: the server's workers must rescue them
    await store.held.hold([conversation_id], [], lease_ms=LEASE_MS, claim_ms=None)
    await store.held.hold([], [conversation_id], lease_ms=LEASE_MS, claim_ms=None)
    await store.end_call(conversation_id, epoch, OWNER)
    await store.mark_completed(conversation_id, OWNER)
    await store.reopen(conversation_id, OWNER)
    await store.mark_completed(conversation_id, OWNER)
    await store.look_up(conversation_id)
    await store.parties.remove(Found(members=[(CALLS, conversation_id)]))
