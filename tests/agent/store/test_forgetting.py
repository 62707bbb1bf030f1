"""A server of our own writes its file anew after a purge, and a failure of that is no success."""

from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.store import purge
from agent.store.purge import NotForgotten, RedisParties

RUNS = "ERR Background append only file rewriting already in progress"


class Server:
    """Says of its rewrites what a real one says.

    Args:
        status: How a rewrite ends.
        runs: Whether another one runs already.
        unseen: Whether another one begins right before ours.
        refuses: What it answers if it cannot begin one.
    """

    def __init__(
        self, status: str = "ok", *, runs: bool = False, unseen: bool = False, refuses: str = ""
    ) -> None:
        self.begun: list[str] = []
        self._status, self._unseen, self._refuses = status, unseen, refuses
        self._left = 3 if runs else 0
        self._last = "ok"

    async def bgrewriteaof(self) -> None:
        if self._unseen:
            self._unseen, self._left = False, 3
        if self._left:
            raise ResponseError(RUNS)
        if self._refuses:
            raise ResponseError(self._refuses)
        self.begun.append("ours")
        self._left, self._last = 3, self._status

    async def info(self, _: str) -> dict[str, Any]:
        self._left = max(0, self._left - 1)
        return {
            "aof_rewrite_in_progress": int(self._left > 0),
            "aof_rewrite_scheduled": 0,
            "aof_last_bgrewrite_status": "ok" if self._left else self._last,
        }


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "LOOKS_AGAIN_S", 0)


async def forget(server: Server) -> None:
    await RedisParties(cast("Redis", server), 60).forget_on_disk()


@pytest.mark.parametrize("server", [Server(), Server(runs=True), Server(unseen=True)])
async def test_a_rewrite_that_runs_is_waited_for_and_ours_comes_behind_it(server: Server) -> None:
    await forget(server)
    assert server.begun == ["ours"]


async def test_a_rewrite_that_failed_has_forgotten_nothing() -> None:
    with pytest.raises(NotForgotten, match="aof_last_bgrewrite_status is err"):
        await forget(Server("err"))


async def test_a_rewrite_that_cannot_begin_is_told_with_the_servers_words() -> None:
    with pytest.raises(NotForgotten, match="Can't execute"):
        await forget(Server(refuses="ERR Can't execute an AOF background rewriting"))
