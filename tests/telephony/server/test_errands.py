"""What is done for a call that is over, step by step, and when it is tried again."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.conversation import message
from agent.conversation.built_in_tools import TAKES_MESSAGE
from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.declaration import canonical
from agent.conversation.tool_call import State
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Line
from agent.store.errands import Attempt, Errand, RedisErrands
from agent.store.redis import RedisStore
from agent.summary.writer import NotWritten, Written
from telephony.server.calls import Calls
from telephony.server.delivery import Delivery
from telephony.server.errands import (
    DELIVERY_MS,
    FIRST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    SUMMARY_ATTEMPTS,
    ErrandRunner,
    Means,
)
from telephony.server.metrics import Metrics
from telephony.server.personas import Personas

CALL = "CA1"
SUMMARY = {"summary": "S.", "outcome": "resolved", "follow_ups": [], "sentiment": "neutral"}


class Author:
    """Fails in these ways, and then writes."""

    model = "a-model"

    def __init__(self, *failures: NotWritten) -> None:
        self.failures = list(failures)

    async def write(self, instruction: str, text: str, schema: Mapping[str, Any]) -> Written:
        del instruction, text, schema
        if self.failures:
            raise self.failures.pop(0)
        return Written(json.dumps(SUMMARY), 5)


class Slow(Author):
    """Never finishes."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()

    async def write(self, instruction: str, text: str, schema: Mapping[str, Any]) -> Written:
        self.began.set()
        await asyncio.get_running_loop().create_future()
        return await super().write(instruction, text, schema)


class Receiver(Delivery):
    """Answers with these statuses."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.posts: list[tuple[str, dict[str, Any]]] = []

    async def post(self, message_id: str, timestamp_s: int, body: bytes) -> tuple[int, str]:
        del timestamp_s
        self.posts.append((message_id, json.loads(body)))
        return self.statuses.pop(0), ""


class Undone(RedisErrands):
    """Errands of which the test sees how they are put off, and can say how old they are."""

    age_ms = 0

    def __init__(self, store: RedisStore) -> None:
        super().__init__(store._client, 3600)
        self.pauses_ms: list[int] = []
        self.settled = 0

    async def begin(self, errand: Errand) -> Any:
        found = await super().begin(errand)
        if isinstance(found, Attempt) and self.age_ms:
            return Attempt(found.step, found.number, found.since_ms, self.age_ms)
        return found

    async def postpone(self, errand: Errand, delay_ms: int) -> None:
        del errand
        self.pauses_ms.append(delay_ms)

    async def settle(self, errand: Errand) -> None:
        del errand
        self.settled += 1


class Case:
    """One call that is over, in which the caller said hello."""

    def __init__(self, author: Author | None, receiver: Receiver | None) -> None:
        self.store = RedisStore.in_memory()
        self.errands = Undone(self.store)
        self.metrics = Metrics()
        self.runner = ErrandRunner(
            Means(author, receiver),
            cast("Calls", None),  # asked only by `run`
            self.store,
            self.errands,
            Personas(None),
            self.metrics,
            Random(1),
        )

    async def over(self) -> None:
        await self.store.open_call(CALL, "Ada")
        await self.store.take(CALL, "nonce", "worker", 60)
        await self.store.append(CALL, [Line(1, "caller", "Hello?", "Hello?", 0, 1)], 1)
        await self.store.end_call(CALL, 1, "caller_hangup")

    async def do(self, times: int) -> None:
        for _ in range(times):
            await self.runner.do(Errand(CALL, 0))

    async def kept(self) -> Any:
        return json.loads(await self.errands.summary(CALL) or "null")

    def counted(self, name: str) -> dict[str, float]:
        families = text_string_to_metric_families(self.metrics.render().decode())
        return {
            next(iter(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
            if sample.name == f"offhook_{name}_total"
        }


async def test_the_summary_is_kept_then_posted_and_nothing_is_left() -> None:
    receiver = Receiver(204)
    case = Case(Author(), receiver)
    await case.over()
    await case.do(3)
    [(_, body)] = receiver.posts
    assert body["summary"] == await case.kept()
    assert body["summary"]["result"] == SUMMARY
    assert body["transcript"] == [{"role": "caller", "heard": "Hello?", "at_ms": 0}]
    assert (case.errands.pauses_ms, case.errands.settled) == ([0], 2)
    await case.store.aclose()


async def test_without_a_summary_model_the_call_is_posted_without_a_summary() -> None:
    receiver = Receiver(200)
    case = Case(None, receiver)
    await case.over()
    await case.do(2)
    assert [(body["summary"], body["caller"]) for _, body in receiver.posts] == [(None, None)]
    await case.store.aclose()


def message_ledger() -> str:
    """The ledger of a call in which a message was taken, from 1 s to 9 s."""
    ledger = Ledger()
    asked = {1_000: {"action": "begin"}, 9_000: {"action": "end", "call_back": "5550123"}}
    for at_ms, wish in asked.items():
        call = ledger.begin(TAKES_MESSAGE, canonical(wish), at_ms)
        call.ends(State.DONE, message.result(canonical(wish), at_ms, "May I?"), at_ms)
    return ledger.to_text()


async def with_message(case: Case, began_ms: int = 0) -> None:
    """The call of a case has a message, and is over."""
    await case.store.open_call(CALL, "Ada", "+14155550123")
    await case.store.take(CALL, "nonce", "worker", 60)
    said = ((0, "May I leave a message?"), (3_000, "The lamp is dark."), (12_000, "Bye."))
    lines = [Line(n, "caller", text, text, at_ms, 1) for n, (at_ms, text) in enumerate(said, 1)]
    await case.store.append(CALL, lines, 1)
    kept = replace(NOTHING_KNOWN, epoch=1, tools=message_ledger(), began_ms=began_ms)
    await case.store.save_checkpoint(CALL, kept, 1)
    await case.store.end_call(CALL, 1, "caller_hangup")


async def test_a_message_is_posted_until_it_is_taken_once_and_before_its_call() -> None:
    receiver = Receiver(503, 204, 204)
    case = Case(Author(), receiver)
    await with_message(case)
    await case.do(5)
    (lost_id, lost), (taken_id, taken), (_, ended) = receiver.posts
    assert (lost_id, lost) == (taken_id, taken)
    assert taken_id == f"msg_{CALL}_message_2"
    assert ended["type"] == "call.ended"
    assert taken == {
        "type": "message.taken",
        "call_sid": CALL,
        "caller": "+14155550123",
        "persona": "Ada",
        "messages": [
            {
                "name": "",
                "call_back": "5550123",
                "finished": True,
                "transcript": [{"text": "The lamp is dark.", "at_ms": 3_000}],
                "audio": None,
            }
        ],
    }
    assert case.errands.settled
    await case.store.aclose()


async def test_a_message_of_the_call_before_a_redial_is_not_told_again() -> None:
    receiver = Receiver(204)
    case = Case(None, receiver)
    await with_message(case, began_ms=10_000)
    await case.do(2)
    assert [body["type"] for _, body in receiver.posts] == ["call.ended"]
    await case.store.aclose()


@pytest.mark.parametrize(("reason", "posts"), [("blocked", 0), ("closed", 1), ("no_budget", 1)])
async def test_of_calls_that_were_not_begun_only_those_of_blocked_callers_are_not_posted(
    reason: str, posts: int
) -> None:
    receiver = Receiver(204)
    case = Case(None, receiver)
    await case.store.open_call(CALL, "Ada", "+14155550123")
    await case.store.mark_completed(CALL, reason)
    await case.do(2)
    told = [(body["ended_reason"], body["caller"]) for _, body in receiver.posts]
    assert told == [(reason, "+14155550123")] * posts
    assert case.errands.settled
    await case.store.aclose()


async def test_without_a_webhook_the_summary_is_kept() -> None:
    case = Case(Author(), None)
    await case.over()
    await case.do(2)
    assert ((await case.kept())["status"], case.errands.settled) == ("done", 1)
    await case.store.aclose()


async def test_a_model_that_may_answer_later_is_asked_later() -> None:
    case = Case(Author(*[NotWritten("HTTP 429", passing=True)] * 2), None)
    await case.over()
    await case.do(3)
    first, second, done = case.errands.pauses_ms
    assert 0.8 * FIRST_PAUSE_MS <= first <= 1.2 * FIRST_PAUSE_MS
    assert 2.4 * FIRST_PAUSE_MS <= second <= 3.6 * FIRST_PAUSE_MS
    assert (done, (await case.kept())["status"]) == (0, "done")
    assert case.counted("summaries") == {"retry": 2, "done": 1}
    await case.store.aclose()


@pytest.mark.parametrize(("passing", "asked"), [(False, 1), (True, SUMMARY_ATTEMPTS)])
async def test_a_model_that_never_answers_gives_a_failed_summary_with_the_reason(
    passing: bool, asked: int
) -> None:
    failures = [NotWritten("HTTP 400", passing=passing)] * 20
    author, receiver = Author(*failures), Receiver(204)
    case = Case(author, receiver)
    await case.over()
    await case.do(asked)
    kept = await case.kept()
    assert (kept["status"], kept["reason"]) == ("failed", "HTTP 400")
    assert len(author.failures) == 20 - asked
    await case.do(1)
    assert [body["summary"]["status"] for _, body in receiver.posts] == ["failed"]
    await case.store.aclose()


async def test_a_post_that_is_not_taken_is_repeated_with_the_same_id() -> None:
    receiver = Receiver(500, 302, 0, 429, 204)
    case = Case(None, receiver)
    await case.over()
    await case.do(6)
    assert len({message_id for message_id, _ in receiver.posts}) == 1
    assert len(receiver.posts) == 5
    assert case.errands.settled == 1
    pauses_ms = case.errands.pauses_ms[1:]
    assert len(pauses_ms) == 4
    assert pauses_ms == sorted(pauses_ms)
    assert case.counted("webhook_posts") == {
        "500": 1,
        "302": 1,
        "no answer": 1,
        "429": 1,
        "204": 1,
    }
    await case.store.aclose()


async def test_a_receiver_that_is_gone_is_asked_once() -> None:
    receiver = Receiver(410)
    case = Case(None, receiver)
    await case.over()
    await case.do(3)
    assert (len(receiver.posts), case.errands.settled) == (1, 2)
    await case.store.aclose()


async def test_after_a_day_a_post_is_given_up() -> None:
    receiver = Receiver(500, 500)
    case = Case(None, receiver)
    await case.over()
    await case.do(2)
    assert case.errands.settled == 0
    case.errands.age_ms = DELIVERY_MS - 1_000
    await case.do(2)
    assert (len(receiver.posts), case.errands.settled) == (2, 2)
    assert case.counted("webhook_posts")["given up"] == 1
    await case.store.aclose()


def test_pauses_grow_to_two_hours_and_no_further() -> None:
    case = Case(None, None)
    pauses_ms = [case.runner._pause_ms(Attempt("webhook", n, 0, 0)) for n in range(1, 400)]
    assert pauses_ms[:3] == [5_000, 15_000, 45_000]
    assert max(pauses_ms) == pauses_ms[-1] == LONGEST_PAUSE_MS


async def test_a_call_that_is_not_over_is_looked_at_later_and_a_forgotten_one_never() -> None:
    case = Case(Author(), None)
    await case.do(1)
    assert case.errands.settled == 1
    await case.store.open_call(CALL)
    await case.do(1)
    assert (len(case.errands.pauses_ms), case.errands.settled) == (1, 1)
    await case.store.aclose()


async def test_a_worker_that_stops_leaves_at_once_what_it_had_begun() -> None:
    author = Slow()
    case = Case(author, None)
    await case.over()
    async with asyncio.TaskGroup() as tasks:
        doing = tasks.create_task(case.do(1))
        await author.began.wait()
        doing.cancel()
    assert case.errands.pauses_ms == [0]
    await case.store.aclose()
