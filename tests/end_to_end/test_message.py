"""After hours, a caller leaves a message. Its owner is told of it once, whoever dies meanwhile."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from telephony.simulator.identity import CALLER
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import SAY_MORGAN, caller
from tests.end_to_end.serving import place, worker_process
from tests.end_to_end.watching import Watch
from tests.end_to_end.webhook import receiving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

PERSONA = """
name = "Nora"
instructions = "You are Nora."
greeting = "Hello there."
builtin = ["take_message"]
[hours]
mon = ""
closed_instructions = "Take a message."
closed_greeting = "We are closed."
"""
MODEL = parse(
    """
    [[turns]]
    expect = "morgan"
    hear = "May I leave a message?"
    call = { tool = "take_message", arguments = { action = "begin" } }
    say = "name"
    [[turns]]
    expect = "message"
    call = { tool = "take_message", arguments = { action = "end", call_back = "5550123" } }
    say = "times"
    """
)
LEAVES_IT = 'wait = "agent"\nsay = "message"'
MESSAGE = "Anna Bell. The heating is broken. My number is five five five, zero one two three."


def the_first(_path: str) -> int:
    """Every connection is tried at the first worker first."""
    return 0


async def test_a_message_left_after_hours_is_told_once_though_its_worker_is_killed(
    redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    file = tmp_path / "nora.toml"
    file.write_text(PERSONA)
    events: Watch[CallEvent] = Watch()
    async with (
        receiving([503]) as webhook,  # the first post is not taken
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        asyncio.TaskGroup() as tasks,
    ):
        settings = {
            "PERSONAS": str(file),
            "WEBHOOK_URL": webhook.url,
            "WEBHOOK_SECRET": webhook.secret,
        }
        async with (
            worker_process(gemini, redis_server.url, **settings) as first,
            worker_process(gemini, redis_server.url, **settings) as second,
        ):
            script = caller(SAY_MORGAN, LEAVES_IT, "after_ms = 12000\nhang_up = true")
            urls = (first.url, second.url)
            running = tasks.create_task(place(script, *urls, route=the_first, on_event=events))
            await events.until(lambda event: isinstance(event, AgentHeard), times=3)
            first.process.kill()  # while the number is read back
            report = await running
            await webhook.posts.until(lambda post: post.body["type"] == "call.ended")
    call = await stored(redis, report.call_sid)
    assert (report.problems, report.streams) == ((), 2)
    assert call.said[0] == ("agent", "We are closed.")
    assert (call.record["hours"], call.record["epoch"]) == ("closed", "2")

    refused, taken, ended = webhook.posts.seen
    assert all(post.is_signed for post in webhook.posts.seen)
    assert refused.headers["webhook-id"] == taken.headers["webhook-id"]
    assert refused.body == taken.body
    assert ended.body["type"] == "call.ended"
    assert (taken.body["type"], taken.body["caller"]) == ("message.taken", CALLER)
    [message] = taken.body["messages"]
    assert (message["call_back"], message["finished"], message["audio"]) == ("5550123", True, None)
    assert [line["text"] for line in message["transcript"]] == [MESSAGE]
