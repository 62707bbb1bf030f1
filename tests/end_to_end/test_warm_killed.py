"""A real worker process is killed in the middle of a warm transfer, and another one carries it out.

Everybody waits for somebody else here, and no worker holds the call.
"""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.simulator.exchange import Exchange
from telephony.simulator.report import Announced, CallEvent, Joined, Report
from telephony.simulator.rest import Hang, RestAccount, RestAnswer, RestRequest
from telephony.simulator.rest_server import SimulatedRest
from telephony.simulator.script import Script
from telephony.twilio.conference import MUSIC_PATH
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    WorkerProcess,
    place,
    worker_process,
)
from tests.end_to_end.test_put_through import BACK
from tests.end_to_end.test_warm import ACCEPTS, CALLER, DECLINES, kinds
from tests.end_to_end.test_worker_lost import the_first
from tests.end_to_end.warm import MODEL, OURS, PERSONA

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

PLACES, REDIRECTS, ENDS = "place", "redirect", "end"


class Account(RestAccount):
    """An account that kills a worker with one of its requests, which is then never answered.

    Attributes:
        fatal: With which act.
        takes_effect: Whether Twilio does what is asked for.
        kill: Kills the worker.
    """

    fatal = ""
    takes_effect = False
    kill: Callable[[], None] = staticmethod(lambda: None)

    def answer(self, request: RestRequest) -> RestAnswer | Hang:
        if not self.fatal or _act(request) != self.fatal:
            return super().answer(request)
        self.fatal = ""
        self.kill()
        if self.takes_effect:
            super().answer(request)
        return Hang()

    @property
    def acts(self) -> list[str]:
        """What was done, in order; a lost answer is no act, if Twilio did nothing."""
        return [act for each in self.requests if (act := _act(each))]


def _act(request: RestRequest) -> str:
    """What Twilio is to do; "" if it is only asked."""
    if request.method != "POST":
        return ""
    if request.path.endswith("/Calls.json"):
        return PLACES
    return REDIRECTS if "Url" in request.form else ENDS


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a call whose first worker was killed."""

    caller: Report
    legs: tuple[Report, ...]
    call: Stored
    sessions: int


@asynccontextmanager
async def two_workers(
    folder: Path, redis_url: str, account: Account
) -> AsyncIterator[tuple[WorkerProcess, WorkerProcess, GeminiServer]]:
    persona = folder / "mira.toml"
    persona.write_text(PERSONA)
    account.add(OURS)
    model = GeminiServer(MODEL, BRISK)
    async with SimulatedGemini(model) as gemini, SimulatedRest(account) as rest:
        given = {
            "PERSONAS": str(persona),
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_API_URL": rest.url,
        }
        async with (
            worker_process(gemini, redis_url, **given) as first,
            worker_process(gemini, redis_url, **given) as second,
        ):
            yield first, second, model


async def killed(
    folder: Path,
    redis: Redis,
    redis_url: str,
    account: Account,
    target: Script,
    when: type[CallEvent] | None = None,
) -> Ended:
    """A call whose first worker is killed by the account, or with an event of the target's."""
    async with two_workers(folder, redis_url, account) as (first, second, model):
        account.kill = first.process.kill
        urls = (first.url, second.url)

        def watch(event: CallEvent) -> None:
            if when is not None and isinstance(event, when):
                first.process.kill()

        exchange = Exchange(
            *(account, urls, PUBLIC_URL, target),
            route=the_first,
            on_event=lambda _, event: watch(event),
        )
        async with exchange:
            report = await place(CALLER, *urls, route=the_first, rest=account, called=OURS)
            legs = [await exchange.report(each.sid) for each in exchange.placed]
        assert first.exit_code == -signal.SIGKILL
        second.process.send_signal(signal.SIGTERM)  # so that all of it is stored
        assert await second.wait() == 0
        call = await stored(redis, report.call_sid)
    return Ended(report, tuple(legs), call, len(model.sessions))


def step_of(call: Stored) -> dict[str, str]:
    names = ("stage", "outcome", "leg")
    return {name: call.record.get(f"next_step_{name}", "") for name in names}


@pytest.mark.parametrize("when", [None, Announced, Joined], ids=["placed", "briefed", "joined"])
async def test_they_talk_although_the_worker_was_killed_that_had_the_target_called(
    tmp_path: Path,
    redis: Redis,
    redis_server: "RedisServer",
    when: type[CallEvent] | None,
) -> None:
    account = Account(ACCOUNT_SID, AUTH_TOKEN)
    if when is None:  # Twilio places the call, and nobody hears of its answer
        account.fatal, account.takes_effect = PLACES, True
    ended = await killed(tmp_path, redis, redis_server.url, account, ACCEPTS, when)
    [leg] = ended.legs
    # The worker may die while Twilio fetches its music. Then there is none, unless the next worker
    # gives some.
    silent = [problem for problem in ended.caller.problems if MUSIC_PATH in problem]
    assert (list(ended.caller.problems), leg.problems) == (silent, ())
    *before, last = kinds(ended.caller.sounds)
    assert last == "person"
    assert before == ["music"] or (silent and not before)
    assert len(leg.announced) == 1
    assert step_of(ended.call) == {"stage": "done", "outcome": "completed", "leg": "joined"}
    assert (ended.call.record["status"], ended.call.record["ended_reason"]) == (
        *("completed", "transferred"),
    )
    assert ended.sessions == 1
    assert account.acts == [PLACES]


@pytest.mark.parametrize("when", [Announced, None], ids=["briefed", "brought back"])
async def test_a_caller_who_is_declined_comes_back_although_the_worker_was_killed(
    tmp_path: Path,
    redis: Redis,
    redis_server: "RedisServer",
    when: type[CallEvent] | None,
) -> None:
    account = Account(ACCOUNT_SID, AUTH_TOKEN)
    if when is None:  # it dies before Twilio has moved the caller: somebody else looks after them
        account.fatal = REDIRECTS
    ended = await killed(tmp_path, redis, redis_server.url, account, DECLINES, when)
    [leg] = ended.legs
    assert account.acts[:2] == [PLACES, REDIRECTS]
    assert set(account.acts[2:]) <= {ENDS}, "of a leg that is over already"
    assert (ended.caller.problems, leg.problems) == ((), ())
    assert kinds(leg.sounds) == ["voice"]
    assert ended.call.said[-1] == BACK
    assert step_of(ended.call) == {"stage": "done", "outcome": "declined", "leg": "back"}
    assert (ended.caller.ended_by, ended.call.record["ended_reason"]) == ("caller", "caller_hangup")
    assert ended.sessions == 2
