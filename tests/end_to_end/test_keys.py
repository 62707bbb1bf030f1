"""Keys over real sockets: typed past everybody to one tool, and pressed by the agent."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.conversation.next_step import Stage
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from telephony.replay.recorder import Recorder
from telephony.simulator.faults import CallFaults, LineFaults
from telephony.twilio.urls import PLAYED_PATH
from tests.agent.tools.shop import Shop
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, serving
from tests.end_to_end.webhook import receiving
from tests.faults.secret_typing import Seen, logged

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

NUMBER, CODE = "4929123456781234", "908172635544"
FILE = """
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."
builtin = ["end_call", "send_digits"]
[[tools]]
name = "charge"
description = "Charges a card."
url = "{url}/charges"
method = "POST"
allow_private = true
[tools.parameters.cents]
type = "integer"
[secure_entries.card]
tool = "charge"
says = "I am still here. Please go on."
min_digits = 16
max_digits = 16
[secure_entries.code]
tool = "charge"
says = "Thank you for calling. Goodbye."
"""
PAYS = parse(
    """
    [[turns]]
    expect = "morgan"
    call = { tool = "charge", arguments = { cents = 4200 } }
    say = "words:It is {status}."
    """
)
TYPES = caller(
    SAY_MORGAN,
    f'until_said = "still-here"\npress = "{NUMBER}"',
    f'until_said = "goodbye"\npress = "{CODE}#"',
    HANG_UP,
)
AUDIBLE = CallFaults(line=LineFaults(audible_keys=True))

PRESSES = parse(
    """
    [[turns]]
    expect = "morgan"
    call = { tool = "send_digits", arguments = { digits = "1w2#" } }
    say = "a1"
    [[turns]]
    expect = "q2"
    say = "sorry"
    """
)


def persona(folder: Path, url: str = "http://127.0.0.1:9") -> Path:
    file = folder / "mira.toml"
    file.write_text(FILE.format(url=url))
    return file


async def stored(redis: Redis) -> str:
    """All that the store has, as text."""
    found: list[object] = []
    for key in await redis.keys():
        match await redis.type(key):
            case "string":
                found.append(await redis.get(key))
            case "hash":
                found.append(await redis.hgetall(key))
            case "stream":
                found.append(await redis.xrange(key))
            case "zset":
                found.append(await redis.zrange(key, 0, -1))
            case _:
                found.append(key)  # it is gone meanwhile
    return repr(found)


async def test_what_is_typed_in_secret_reaches_one_tool_and_nothing_else(
    redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    model, recordings = GeminiServer(PAYS, BRISK), tmp_path / "recordings"
    with logged() as log, Recorder(recordings) as recorder:
        async with Shop() as shop, receiving() as webhook, SimulatedGemini(model) as gemini:
            file, url = persona(tmp_path, shop.url), redis_server.url
            async with serving(
                gemini, recorder, personas=file, redis_url=url, webhook=webhook
            ) as worker:
                report = await place(TYPES, worker.url, faults=AUDIBLE)
                post = await webhook.posts.until(lambda _: True)
                kept = await stored(redis)
                metrics = (await get(worker.url, "/metrics")).text
    [(method, path, body)] = shop.asked
    assert (method, path) == ("POST", "/charges")
    assert json.loads(body) == {"cents": 4200, "card": NUMBER, "code": CODE}
    files = [each for each in recordings.rglob("*") if each.is_file()]
    recorded = "\n".join(each.read_bytes().decode("latin-1") for each in files)
    artefacts = {
        "recordings": recorded,
        "log": log.getvalue(),
        "store": kept,
        "webhook": json.dumps(post.body),
        "metrics": metrics,
        "model": "\n".join(repr(session.memory) for session in model.sessions),
    }
    seen = Seen()
    for where, text in artefacts.items():
        assert text
        seen.note(where, text, [NUMBER, CODE])
    assert seen.found == dict.fromkeys(artefacts, 0)
    assert '"ev":"SecretKey"' in recorded
    assert "charge" in artefacts["webhook"]
    assert report.problems == ()


async def test_keys_are_pressed_and_the_agent_goes_on_after_them(tmp_path: Path) -> None:
    model = GeminiServer(PRESSES, BRISK)
    script = caller(SAY_MORGAN, 'after_ms = 6000\nsay = "q2"', HANG_UP)
    async with (
        SimulatedGemini(model) as gemini,
        serving(gemini, personas=persona(tmp_path)) as worker,
    ):
        report = await place(script, worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.streams) == ((), 2)
    assert [each.path for each in report.webhooks].count(PLAYED_PATH) == 1
    assert record is not None
    assert record.next_step is not None
    step = record.next_step
    assert (step.kind, step.to, step.stage) == ("digits", "1w2#", Stage.DONE)
    assert record.lines[-1].heard == "Sorry, I did not catch that. Could you say it again?"
