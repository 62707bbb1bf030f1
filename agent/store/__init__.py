"""What outlives a worker: transcript lines, checkpoint, call record, one-time tokens, in Redis.

Modules, lowest first: `base` (the promises, the records, the errors), `scripts` (what happens
atomically, in Lua), `failures` (why the store is away), `in_memory` (a Redis in this process),
`folder` (where a server of our own has its data, and who may use it), `keeper` (a process that
ends that server with its user), `own_server` (Valkey as a child of this process), `leases` (who
holds a call: one pub/sub connection per worker), `redis` (keys, expiry, and the `Store` itself, on
any of these servers), `rehearsal` (whether a server does all that a call needs).

Laws: never on the audio path. Every write of an owner carries its epoch and is refused once
another worker has taken the call. Every key of a call has one hash tag and an expiry. This room
does not retry: it says `StoreAway`, and whoever has something to write keeps it. May import
`agent.conversation` and redis, and nothing else of ours.

    resource            acquired                          released
    connection pool     `RedisStore.from_url/in_memory`   `RedisStore.aclose`
    pub/sub connection  `async with store.leases()`       the end of that block
    reader task         `async with store.leases()`       the end of that block
    own server          `async with own_server.running()` the end of that block
"""
