"""After a call, over real sockets: the summary is written and stored, and the webhook is posted."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.meter import NANO
from agent.simulator.faults import Generation
from agent.simulator.server import SimulatedGemini
from telephony.server import delivery as delivery_module
from telephony.server.delivery import NO_ANSWER, Delivery
from telephony.simulator.identity import CALLER
from tests.end_to_end.records import spent, stored
from tests.end_to_end.scripts import HANG_UP, MORGAN, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, serving, worker_process
from tests.end_to_end.watching import PATIENCE_S
from tests.end_to_end.webhook import receiving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

MODEL = "gemini-3.8-flash"

PERSONA = """\
name = "Reception"
instructions = "You are the reception."
[limits]
usd_per_day = 5
[summary.name]
type = "string"
description = "The caller's name."
"""


async def test_a_call_is_summarised_as_heard_and_posted(
    gemini: SimulatedGemini, redis_server: "RedisServer", redis: Redis, tmp_path: Path
) -> None:
    persona = tmp_path / "reception.toml"
    persona.write_text(PERSONA)
    async with (
        receiving() as webhook,
        serving(
            gemini,
            redis_url=redis_server.url,
            personas=persona,
            summary_model=MODEL,
            webhook=webhook,
        ) as worker,
    ):
        report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        post = await webhook.posts.until(lambda _: True)
        metrics = (await get(worker.url, "/metrics")).text
    assert report.problems == ()
    kept = await stored(redis, report.call_sid)
    summary = json.loads(await redis.get(f"offhook:{{{report.call_sid}}}:summary") or "")
    assert (summary["status"], summary["model"]) == ("done", MODEL)
    assert sorted(summary["result"]) == ["follow_ups", "name", "outcome", "sentiment", "summary"]
    assert float(kept.record["summary_usd"]) == pytest.approx(summary["usd"], abs=1e-6)
    booked = await spent(redis)
    cost = float(kept.record["usd"]) + summary["usd"]
    assert booked["all"] / NANO == pytest.approx(cost, abs=2e-6), "the summary is booked, too"
    assert min(kept.lives_s.values()) > 0

    [asked] = gemini.server.asked
    assert asked.model == MODEL
    assert MORGAN in asked.said
    assert MORGAN not in asked.instruction

    assert post.is_signed
    assert post.body["summary"] == summary
    assert [(line["role"], line["heard"]) for line in post.body["transcript"]] == kept.heard
    assert [post.body[name] for name in ("type", "call_sid", "persona", "ended_reason")] == [
        "call.ended",
        report.call_sid,
        "Reception",
        "caller_hangup",
    ]
    assert post.body["caller"] == CALLER
    assert post.body["usd"] == float(kept.record["usd"])
    assert post.body["seconds"] == int(kept.record["seconds"])
    assert 'offhook_summaries_total{result="done"} 1.0' in metrics
    assert len(webhook.posts.seen) == 1


async def test_what_a_dead_worker_left_another_one_does(
    gemini: SimulatedGemini, redis_server: "RedisServer", redis: Redis
) -> None:
    url, settings = redis_server.url, {"SUMMARY_MODEL": MODEL}
    gemini.inject(Generation(429))
    async with receiving() as webhook:
        settings |= {"WEBHOOK_URL": webhook.url, "WEBHOOK_SECRET": webhook.secret}
        async with worker_process(gemini, url, **settings) as first:
            report = await place(caller(SAY_MORGAN, HANG_UP), first.url)
            async with asyncio.timeout(PATIENCE_S):  # its errand is due in 2 s
                while (await stored(redis, report.call_sid)).record["status"] != "completed":  # noqa: ASYNC110 - untold
                    await asyncio.sleep(0.01)
            first.process.kill()
        assert await redis.zscore("offhook:errands", report.call_sid) is not None
        assert gemini.server.asked == []
        async with serving(gemini, redis_url=url, summary_model=MODEL, webhook=webhook):
            post = await webhook.posts.until(lambda _: True)
    assert post.is_signed
    assert post.body["summary"]["status"] == "done"
    assert len(gemini.server.asked) == 2, "once refused, and then written"


async def test_no_redirect_is_followed_and_no_answer_is_waited_for_in_vain() -> None:
    async with receiving([302]) as webhook:
        delivery = Delivery(webhook.url, "any text")
        webhook.secret = "any text"
        assert await delivery.post("msg_1", 1_790_000_000, b"{}") == (302, "")
        assert await delivery.post("msg_1", 1_790_000_009, b"{}") == (204, "")
    assert [(post.path, post.is_signed) for post in webhook.posts.seen] == [("/calls", True)] * 2
    assert await delivery.post("msg_1", 1_790_000_019, b"{}") == (NO_ANSWER, "ConnectError")
    await delivery.aclose()


async def test_a_receiver_that_says_nothing_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery_module, "TIMEOUT_S", 0.2)
    heard = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        delivery = Delivery(f"http://127.0.0.1:{port}/", "any text")
        assert (await delivery.post("msg_1", 1_790_000_000, b"{}"))[0] == NO_ANSWER
        assert heard.is_set()
        await delivery.aclose()
