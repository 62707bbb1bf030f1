"""Data that must survive the death of a worker, kept in Redis.

These are transcript lines, checkpoints, call records, summaries, errands and one-time tokens.

Modules, lowest first:
    base        the records that a store returns, and its errors
    scripts     the Lua scripts that run atomically in Redis
    due_scripts   those of them that are about what is due: leases, errands, callers who wait
    step_scripts  those of them that are about what is to happen with the line next
    connection  a connection to Redis, of which a broken one raises the same error on every loop
    failures    turns exceptions into one short reason why the store is away
    in_memory   a Redis in this process's memory, for tests
    folder      the data folder of our own server, and the locks on it
    keeper      a small program that ends our own server when its user is gone
    own_server  Valkey as a child of this process
    leases      tells workers over pub/sub who holds a call
    held        which calls no worker holds any more
    promises    what a store promises
    errands     what is still to be done for calls that are over
    budgets     what calls have cost in a day, and what they have reserved
    besides     what calls cost besides the model and their own line
    dials       the calls that are placed: how many to a number in a day, and one a second
    requests    requests that must be carried out once, by a key of whoever asks
    records     reads what the scripts return
    index       all calls by time
    legs        the calls to those who are told of a caller before they get the line
    purge       who has which calls, and the removal of everything that is kept of them
    redis       the `Store` itself, on any of these servers
    rehearsal   checks that a server does everything that a call needs

Laws: this room is never on the audio path. Every write by a call's owner carries its epoch, and is
refused once another worker has taken the call. Every key of a call has the same hash tag, and an
expiry. This room does not retry: it raises `StoreAway`, and the caller keeps its data. It may
import `agent.conversation` and redis, and no other room.

    resource            acquired                          released
    connection pool     `RedisStore.from_url/in_memory`   `RedisStore.aclose`
    pub/sub connection  `async with store.leases()`       the end of that block
    reader task         `async with store.leases()`       the end of that block
    own server          `async with own_server.running()` the end of that block
"""
