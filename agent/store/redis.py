"""The store in Redis. The code is the same for a real server and for one in this process's memory.

Keys of a call, by the id that whoever carries it has for it: its CallSid, for telephony. All are in
one hash slot, and each write of the call renews their expiry:

    offhook:{<id>}:lines               stream, IDs ``<epoch>-<n>``: n role text heard at_ms epoch
    offhook:{<id>}:call                hash: status ended_reason epoch owner persona usd tokens
                                       seconds notes account summary_usd caller direction
                                       consent verdict; measured_<epoch>, JSON; cost_*, see
                                       `agent.store.besides`; next_step
                                       and next_step_*, the fields of a `NextStep`
    offhook:{<id>}:checkpoint          string: JSON
    offhook:{<id>}:token:<nonce>       string: a used token; kept as long as the token could live
    offhook:{<id>}:resumes             string: a counter; kept for its window of 60 s
    offhook:{<id>}:errand, :summary    see `agent.store.errands`
    offhook:{<id>}:lease               channel: ``taken <epoch>``, ``released <epoch>``,
                                       ``status <CallStatus>``

The leases of all calls: see `agent.store.held`. All calls by time: see `agent.store.index`.

One key for each caller, named by a keyed hash of the number:

    offhook:caller:<hash>              string: the id of the newest conversation

The calls whose callers wait for the target of a transfer: see `agent.store.legs`.

One key for each agent and day: see `agent.store.budgets`. For placed calls: see
`agent.store.dials`. For requests with a key: see `agent.store.requests`.

Text is UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes "?".

Limit: Redis replicates after it has answered, so a failover can lose the last writes. The store
then asks for these lines again (`Gap`), but two workers may come to hold the same epoch.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, cast

import structlog
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.meter import NANO
from agent.conversation.next_step import Asked, NextStep
from agent.conversation.transcript import Line
from agent.store import scripts, step_scripts
from agent.store.base import (
    NOT_KNOWN,
    Began,
    CallRecord,
    Direction,
    Gap,
    HoursAre,
    Measured,
    Taken,
)
from agent.store.besides import RedisBesides
from agent.store.budgets import RedisBudgets
from agent.store.connection import closing
from agent.store.dials import RedisDials
from agent.store.errands import RedisErrands
from agent.store.failures import store_away
from agent.store.held import RedisHeld
from agent.store.index import RedisIndex
from agent.store.leases import RedisLeases
from agent.store.legs import RedisLegs
from agent.store.purge import RedisParties
from agent.store.records import accepted, fields_of, record_of, step_in
from agent.store.requests import RedisRequests

if TYPE_CHECKING:
    from fakeredis import FakeServer

DEFAULT_TTL_S = 7 * 24 * 3600
RESUME_WINDOW_S = 60

CONNECTION: dict[str, Any] = {
    "protocol": 2,  # RESP3 would push maintenance messages, which are not used here
    "decode_responses": True,
    "encoding_errors": "replace",  # a transcript must never be refused for one character
    "socket_connect_timeout": 1.0,
    "socket_timeout": 2.0,
    "health_check_interval": 15,  # after so many s of silence a PING precedes the command
    "retry": Retry(NoBackoff(), 0),  # redis-py must not repeat `take` by itself
    "max_connections": 32,
    "timeout": 1.0,  # s, the longest wait for one of them
}
OVER_TCP: dict[str, Any] = {"socket_keepalive": True}  # the lease connection may listen for hours

log = structlog.get_logger(__name__)


def can_be_in_memory() -> bool:
    """Whether `RedisStore.in_memory` has what it needs."""
    return find_spec("fakeredis") is not None


class RedisStore:
    """The `Store` in Redis. Made by `from_url` or `in_memory`; call `aclose` at the end.

    Attributes:
        errands: The errands of calls that are over; None if there is nothing to do for them.
        budgets: What calls cost in a day.
        dials: The calls that are placed.
        requests: The requests that must be carried out once.
        besides: What calls cost besides the model and their own line.
        legs: The calls to those who are told of a caller first.
        held: Which calls no worker holds any more.
        parties: Who has which calls, and what is kept of them.
        index: All calls by time.
    """

    def __init__(self, pool: ConnectionPool, ttl_s: int, *, errands: bool = False) -> None:
        self._client = Redis.from_pool(pool)
        self.errands = RedisErrands(self._client, ttl_s) if errands else None
        self.budgets = RedisBudgets(self._client)
        self.dials = RedisDials(self._client, ttl_s)
        self.requests = RedisRequests(self._client)
        self.besides = RedisBesides(self._client, ttl_s)
        self.legs = RedisLegs(self._client, ttl_s)
        self.held = RedisHeld(self._client, ttl_s)
        self.parties = RedisParties(self._client, ttl_s)
        self.index = RedisIndex(self._client, ttl_s)
        self._pool = pool
        self._ttl_s = ttl_s
        self._open_call = self._client.register_script(scripts.OPEN_CALL)
        self._look_up = self._client.register_script(scripts.LOOK_UP)
        self._note_beginning = self._client.register_script(scripts.NOTE_BEGINNING)
        self._take = self._client.register_script(scripts.TAKE)
        self._append = self._client.register_script(scripts.APPEND)
        self._save_checkpoint = self._client.register_script(scripts.SAVE_CHECKPOINT)
        self._claim_step = self._client.register_script(step_scripts.CLAIM_STEP)
        self._settle_step = self._client.register_script(step_scripts.SETTLE_STEP)
        self._end_call = self._client.register_script(scripts.END_CALL)
        self._mark_completed = self._client.register_script(scripts.MARK_COMPLETED)
        self._note_verdict = self._client.register_script(scripts.NOTE_VERDICT)
        self._reopen = self._client.register_script(scripts.REOPEN)
        self._count_resume = self._client.register_script(scripts.COUNT_RESUME)

    @classmethod
    def from_url(cls, url: str, *, ttl_s: int = DEFAULT_TTL_S, errands: bool = False) -> Self:
        """A store on the server at `url` (``redis://``, ``rediss://``, ``unix://``).

        It connects at its first use, and again whenever the connection was lost. With `errands`,
        each call that is over leaves an errand.
        """
        options = CONNECTION if url.startswith("unix:") else CONNECTION | OVER_TCP
        pool = BlockingConnectionPool.from_url(url, **options)
        pool.connection_class = closing(pool.connection_class)
        return cls(pool, ttl_s, errands=errands)

    @classmethod
    def in_memory(
        cls,
        *,
        ttl_s: int = DEFAULT_TTL_S,
        server: "FakeServer | None" = None,
        errands: bool = False,
    ) -> Self:
        """A store in the memory of this process; nothing of it outlives the process.

        Args:
            ttl_s: How long a call is kept after its last write.
            server: Share the memory of another such store.
            errands: As for `from_url`.

        Raises:
            ModuleNotFoundError: fakeredis is not installed: see `can_be_in_memory`.
        """
        from agent.store import in_memory  # noqa: PLC0415 - imports a package that few have

        return cls(in_memory.pool(server, CONNECTION), ttl_s, errands=errands)

    async def open_call(
        self,
        conversation_id: str,
        persona: str = "",
        caller: str = "",
        direction: Direction = "inbound",
        hours: HoursAre = "open",
    ) -> CallRecord:
        """See `Store.open_call`."""
        await self.index.note(conversation_id)
        given = (persona, caller, direction, hours)
        fields, checkpoint = await self._run(self._open_call, conversation_id, *given)
        return record_of(conversation_id, fields, checkpoint, [])

    async def look_up(self, conversation_id: str) -> CallRecord | None:
        """See `Store.look_up`."""
        fields, checkpoint, entries = await self._run(self._look_up, conversation_id)
        return record_of(conversation_id, fields, checkpoint, entries) if fields else None

    async def note_beginning(self, conversation_id: str, began: Began) -> None:
        """See `Store.note_beginning`."""
        await self.index.note(conversation_id)
        await self._run(self._note_beginning, conversation_id, began.persona, began.hours)

    async def take(
        self,
        conversation_id: str,
        nonce: str,
        owner: str,
        token_ttl_s: int,
        began: Began = NOT_KNOWN,
    ) -> Taken | None:
        """See `Store.take`."""
        await self.index.note(conversation_id)
        answer = await self._run(
            self._take,
            conversation_id,
            owner,
            token_ttl_s,
            _key(conversation_id, "lease"),
            began.persona,
            began.hours,
            extra_key=_key(conversation_id, f"token:{nonce}"),
        )
        if answer is None:
            return None
        epoch, listeners, flat, saved, entries = answer
        kept = record_of(conversation_id, flat, saved, entries)
        known = (kept.checkpoint, kept.lines, listeners, kept.account)
        return Taken(epoch, *known, verdict=kept.verdict)

    async def append(self, conversation_id: str, lines: Sequence[Line], epoch: int) -> int:
        """See `Store.append`."""
        numbers = [line.n for line in lines]
        if lines and numbers != list(range(max(1, numbers[0]), numbers[0] + len(lines))):
            raise ValueError(f"expected line numbers from 1 on, rising by one, got {numbers}")
        values = [
            value
            for line in lines
            for value in (line.n, line.role, line.text, line.heard, line.at_ms, line.epoch)
        ]
        match await self._run(self._append, conversation_id, epoch, *values):
            case ["gap", expected_n]:
                raise Gap(expected_n, numbers[0])
            case answer:
                return accepted(answer)

    async def save_checkpoint(
        self,
        conversation_id: str,
        checkpoint: Checkpoint,
        epoch: int,
        cost: int | None = None,
        measured: Measured | None = None,
    ) -> int:
        """See `Store.save_checkpoint`."""
        usd = "unknown" if cost is None else f"{cost / NANO:.9f}"
        seconds = (checkpoint.elapsed_ms - checkpoint.began_ms) // 1000
        found = (0, "") if measured is None else (measured.since, measured.figures)
        figures = (usd, checkpoint.tokens, seconds, checkpoint.notes, *found)
        wanted = NextStep.from_json(checkpoint.next_step)
        step = (0, "", "", "")
        if wanted is not None:
            step = (wanted.n, wanted.kind, wanted.to, wanted.kept)
        saved = replace(checkpoint, next_step="").to_json()
        answer = await self._run(
            self._save_checkpoint, conversation_id, epoch, saved, *figures, *step
        )
        return accepted(answer)

    async def claim_step(
        self, conversation_id: str, request: str, asked: Asked | None = None
    ) -> tuple[NextStep | None, bool]:
        """See `Store.claim_step`."""
        wanted = ("", "", "") if asked is None else asked
        mine, flat = await self._run(self._claim_step, conversation_id, request, *wanted)
        return step_in(fields_of(flat)), bool(mine)

    async def settle_step(self, conversation_id: str, outcome: str) -> NextStep | None:
        """See `Store.settle_step`."""
        return step_in(fields_of(await self._run(self._settle_step, conversation_id, outcome)))

    async def end_call(self, conversation_id: str, epoch: int, reason: str) -> None:
        """See `Store.end_call`."""
        await self._add_errand(conversation_id)
        accepted(await self._run(self._end_call, conversation_id, epoch, reason))

    async def mark_completed(self, conversation_id: str, reason: str) -> None:
        """See `Store.mark_completed`."""
        await self._add_errand(conversation_id)
        await self._run(self._mark_completed, conversation_id, reason)

    async def note_verdict(self, conversation_id: str, reason: str) -> None:
        """See `Store.note_verdict`."""
        await self._run(self._note_verdict, conversation_id, reason)

    async def reopen(self, conversation_id: str, reason: str) -> None:
        """See `Store.reopen`."""
        await self._run(
            self._reopen, conversation_id, reason, extra_key=_key(conversation_id, "errand")
        )

    async def count_resume(self, conversation_id: str) -> int:
        """See `Store.count_resume`."""
        return accepted(
            await self._run(
                self._count_resume,
                conversation_id,
                RESUME_WINDOW_S,
                extra_key=_key(conversation_id, "resumes"),
            )
        )

    async def note_caller(self, caller: str, conversation_id: str, ttl_s: int) -> str | None:
        """See `Store.note_caller`."""
        with store_away():
            key = f"offhook:caller:{caller}"
            before = await self._client.set(key, conversation_id, ex=ttl_s, get=True)
        return None if before is None else str(before)

    async def announce_released(self, conversation_id: str, epoch: int) -> None:
        """See `Store.announce_released`."""
        with store_away():
            await self._client.publish(_key(conversation_id, "lease"), f"released {epoch}")

    async def announce_status(self, conversation_id: str, status: str) -> int:
        """See `Store.announce_status`."""
        with store_away():
            return int(
                await self._client.publish(_key(conversation_id, "lease"), f"status {status}")
            )

    async def listeners(self, conversation_id: str) -> int:
        """See `Store.listeners`."""
        with store_away():
            [(_, count)] = await self._client.pubsub_numsub(_key(conversation_id, "lease"))
        return int(count)

    @asynccontextmanager
    async def leases(self) -> AsyncGenerator[RedisLeases]:
        """See `Store.leases`. The block begins after the first attempt to connect."""
        leases = RedisLeases(self._pool, lambda conversation_id: _key(conversation_id, "lease"))
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(leases.run(), name="leases")
            try:
                await leases.tried()
                yield leases
            finally:
                reader.cancel()

    async def ping(self) -> None:
        """See `Store.ping`."""
        with store_away():
            await self._client.ping()

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._client.aclose()

    async def _add_errand(self, conversation_id: str) -> None:
        """Add it before the call is stored as over. A worker that dies between the two leaves an
        errand that waits for the call's end, and never a call whose errand is lost.
        """
        if self.errands is not None:
            await self.errands.add(conversation_id)

    async def _run(
        self,
        script: AsyncScript,
        conversation_id: str,
        *args: str | int,
        extra_key: str | None = None,
    ) -> Any:
        keys = [_key(conversation_id, name) for name in ("call", "lines", "checkpoint")]
        if extra_key is not None:
            keys.append(extra_key)
        given: list[Any] = [*keys, self._ttl_s, *args]
        with store_away():
            try:
                return await self._client.evalsha(script.sha, len(keys), *given)
            except NoScriptError as unknown:  # loaded first, it could be lost before it runs
                unknown.__traceback__ = None  # a client keeps its last error, and so all of a call
                return await self._client.eval(cast("str", script.script), len(keys), *given)


def _key(conversation_id: str, name: str) -> str:
    return f"offhook:{{{conversation_id}}}:{name}"
