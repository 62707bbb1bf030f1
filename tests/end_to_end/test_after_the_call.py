"""After a call, over real sockets: the summary is written and stored, and the webhook is posted."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import HANG_UP, MORGAN, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, serving
from tests.end_to_end.webhook import receiving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

MODEL = "gemini-3.8-flash"

PERSONA = """\
name = "Reception"
instructions = "You are the reception."
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
    assert post.body["usd"] == float(kept.record["usd"])
    assert post.body["seconds"] == int(kept.record["seconds"])
    assert 'offhook_summaries_total{result="done"} 1.0' in metrics
    assert len(webhook.posts.seen) == 1
