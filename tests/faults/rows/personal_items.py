"""Row 51: what callers tell of themselves is used in the call, and in nothing that is kept of it.

A real worker, with a log, a Redis, a webhook and encrypted recordings, is called by people whose
items come by every door: in what they say and type, in what the model says and asks of tools, in
what tools answer and raise, and in the number and the name that the line shows.
"""

import asyncio
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Call, Script, Turn
from agent.simulator.server import SimulatedGemini
from telephony.replay.sealing import opened
from telephony.twilio.urls import STATUS_PATH, VOICE_PATH
from tests.end_to_end import twilio
from tests.end_to_end.scripts import caller
from tests.end_to_end.serving import get, place, worker_process
from tests.end_to_end.webhook import Webhook, receiving
from tests.faults.planting import drawn, found, phone, sentence
from tests.faults.table import Figure, Row, at_least, exactly, scaled
from tests.forked import ROOT
from tests.redis_server import RedisServer, redis_running

ITEMS = 1_000
SAYS = ("morgan", "q2", "q4", "q1", "q3", "q5", "hello", "repeat", "ten", "haircut")
"""What each caller says again and again. The model has another transcription for each turn."""

LAST = "goodbye"
"""What they say then, before they type."""

TURNS = 8
HEARD, ASKED, ANSWERED, NOTED = 4, 2, 2, 2
PER_TURN = HEARD + ASKED + ANSWERED + NOTED + 1
PER_CALL = TURNS * PER_TURN + 2
NAMED = 2
"""The number and the name of a caller who hangs up at once."""

KEY = secrets.token_bytes(32)
CARD_TYPED = "4929123456781236"

PERSONA = """
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."
numbers = ["+14155550199"]
builtin = ["end_call", "note", "collect_digits"]
[privacy]
redact = ["card", "ssn", "iban", "email", "phone"]
[[tools]]
python = "lookup:look_up"
"""
TOOL = '''
import json
from pathlib import Path
from agent.tools import tool

@tool(idempotent=True)
def look_up(n: int, who: str) -> dict[str, str]:
    """Looks somebody up.

    Args:
        n: Which turn.
        who: Who it is.
    """
    answer = json.loads(Path(__file__).with_name("answers.json").read_text())[n]
    if n % 4 == 3:
        raise ValueError(f"nobody called {who}, but {answer}")
    return {"found": answer}
'''

CRASHES = """
import json, logging, sys, threading
import structlog
from telephony.server.logs import configure

configure()
log = structlog.get_logger("x")
items = json.load(sys.stdin)

def fails(item):
    raise ValueError(f"expected nothing, got {item}")

for n, item in enumerate(items):
    try:
        fails(item)
    except ValueError as error:
        if n % 4 == 0:
            log.exception("it failed", call_sid="CA1", what=item, more=[{"of": item}])
        elif n % 4 == 1:
            logging.getLogger("a.library").exception("it failed with %s", item)
        elif n % 4 == 2:
            try:
                raise RuntimeError(f"so {item} it is") from error
            except RuntimeError:
                log.exception("it failed")
    if n % 4 == 3:
        thread = threading.Thread(target=fails, args=[item])
        thread.start()
        thread.join()
fails(items[-1])
"""


@dataclass(frozen=True, slots=True)
class Planting(Script):
    """A model that has another answer to each turn of each caller: those of `plan`, by what was
    said."""

    plan: Mapping[str, Iterator[Turn]] = field(default_factory=dict)
    chosen: dict[tuple[str | None, int], Turn] = field(default_factory=dict)

    def answer(self, understood: str | None, answered: int) -> Turn:
        """See `Script.answer`. It is asked for the transcription first, and then for the answer."""
        key = understood, answered
        if key not in self.chosen:
            more = self.plan.get(understood or "", iter(()))
            self.chosen[key] = next(more, Turn(self.fallback))
        return self.chosen[key]


@dataclass(slots=True)
class Planted:
    """What was planted, and what of it was found where."""

    items: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)

    def note(self, where: str, text: str) -> None:
        """Look for all that was planted."""
        self.found[where] = self.found.get(where, 0) + len(found(text, self.items))


def measure(share: float) -> Sequence[Figure]:
    """So many items, a half of all in calls at the least."""
    wanted = scaled(ITEMS, share, least=2 * PER_TURN)
    with redis_running() as server:
        return asyncio.run(_measure(server, wanted))


async def _measure(server: RedisServer, wanted: int) -> Sequence[Figure]:
    items, planted = drawn(51), Planted()
    calls = max(1, min(len(SAYS), wanted // (PER_CALL + 2)))
    turns = TURNS if calls > 1 else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = _scripted(folder, items, planted, calls, turns)
        async with (
            SimulatedGemini(GeminiServer(script, BRISK)) as gemini,
            receiving() as webhook,
            worker_process(
                gemini,
                server.url,
                PERSONAS=str(folder / "mira.toml"),
                RECORD_DIR=str(folder / "recordings"),
                RECORDING_KEY=b64encode(KEY).decode(),
                WEBHOOK_URL=webhook.url,
                WEBHOOK_SECRET=webhook.secret,
            ) as worker,
        ):
            await _call_all(worker.url, planted, calls, turns)
            rest = max(4, wanted - len(planted.items)) // 2
            named = await _named(worker.url, planted, max(1, rest // NAMED))
            await webhook.posts.until(lambda _: True, times=calls + named)
            planted.note("/metrics", (await get(worker.url, "/metrics")).text)
            log = worker.log
        crash = list(islice(items, max(4, wanted - len(planted.items))))
        planted.items += crash
        planted.note("a crash's output", _crashed(crash))
        planted.note("the log", "".join(log.seen))
        planted.note("Redis", await _kept(server))
        planted.note("posts of the webhook", _posted(webhook))
        heard = _recorded(folder / "recordings", planted)
    # On a busy machine a caller may be understood late, and a turn left out: that is no leak.
    most = 0.5 * len(planted.spoken)
    return [
        Figure("items planted", len(planted.items), at_least(wanted)),
        Figure("calls", calls, None),
        Figure("calls that end at once", named, None),
        Figure("items that the model had, of those that were said", heard, at_least(most)),
        *(Figure(f"items in {where}", hits, exactly(0)) for where, hits in planted.found.items()),
    ]


def _scripted(
    folder: Path, items: Iterator[str], planted: Planted, calls: int, turns: int
) -> Script:
    """The agent's file and tool, and what the model makes of its callers."""
    answers: list[str] = []
    plan: dict[str, list[Turn]] = {who: [] for who in SAYS[:calls]}

    def some(count: int) -> list[str]:
        planted.items += (drawn_now := list(islice(items, count)))
        return drawn_now

    for _ in range(turns):
        for who in SAYS[:calls]:
            heard = some(HEARD)
            planted.spoken += heard
            answers.append(sentence(some(ANSWERED)))
            asked = {"n": len(answers) - 1, "who": " ".join(some(ASKED))}
            note = Call("note", {"text": sentence(some(NOTED))})
            said = f"words:So it is {some(1)[0]}."
            hear, call = sentence(heard), Call("look_up", asked)
            plan[who].append(Turn(said, hear=hear, call=call, then=note))
    collect = Call("collect_digits", {"what": "the card"})
    plan[LAST] = [Turn("words:Thank you.", call=collect, meanwhile="words:Yes.")] * calls
    (folder / "answers.json").write_text(json.dumps(answers))
    (folder / "lookup.py").write_text(TOOL)
    (folder / "mira.toml").write_text(PERSONA)
    turns_of = {said: iter(each) for said, each in plan.items()}
    return Planting((), greeting="still-here", plan=turns_of)


async def _call_all(url: str, planted: Planted, calls: int, turns: int) -> None:
    planted.items.append(CARD_TYPED)
    draw = Random(51)
    async with asyncio.TaskGroup() as tasks:
        for who in SAYS[:calls]:
            steps = [f'wait = "agent"\nsay = "{who}"'] * turns
            steps += [
                f'wait = "agent"\nsay = "{LAST}"',
                f'after_ms = 1500\npress = "{CARD_TYPED}#"',
            ]
            steps.append('wait = "agent"\nhang_up = true')
            planted.items.append(number := phone(draw))
            tasks.create_task(place(caller(*steps), url, patience_s=240, caller=number))


async def _named(url: str, planted: Planted, calls: int) -> int:
    """Calls of people whose line shows a number and a name, and who hang up at once."""
    draw = Random(52)
    for _ in range(calls):
        number, name = phone(draw), f"{phone(draw)} {phone(draw)}"
        planted.items += [number, *name.split()]
        form = twilio.form_of(twilio.new_call_sid()) | {"From": number, "CallerName": name}
        await twilio.post(url, VOICE_PATH, form, twilio.signed(VOICE_PATH, form))
        form["CallStatus"] = "completed"
        await twilio.post(url, STATUS_PATH, form, twilio.signed(STATUS_PATH, form))
    return calls


async def _kept(server: RedisServer) -> str:
    """Everything in Redis."""
    parts: list[Any] = []
    async with Redis.from_url(server.url, decode_responses=True) as admin:
        client: Any = admin
        readers: dict[Any, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "stream": client.xrange,
            "zset": lambda key: client.zrange(key, 0, -1),
        }
        async for key in admin.scan_iter():
            parts += [key, await readers[await admin.type(key)](key)]
    return "\n".join(map(repr, parts))


def _posted(webhook: Webhook) -> str:
    return "\n".join(json.dumps(post.body, ensure_ascii=False) for post in webhook.posts.seen)


def _recorded(folder: Path, planted: Planted) -> int:
    """Look at recordings and at fixtures made of them. Returns how many of the items that were
    said are in a recording once it is decrypted: the model had them.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    planted.note("encrypted recordings", "\n".join(_text(path.read_bytes()) for path in files))
    plain = folder.with_name("plain")
    shutil.copytree(folder, plain)
    for path in sorted(plain.rglob("*")):
        if path.is_file():
            path.write_bytes(opened(path, path.read_bytes(), [KEY]))
    heard = found(_texts(plain), planted.spoken)
    recordings = sorted(plain.glob("*.call"))
    done = _run("-m", "telephony", "fixture", "scrub", *map(str, recordings))
    planted.note("fixtures", _texts(plain) + done)
    return len(heard)


def _texts(folder: Path) -> str:
    return "\n".join(_text(path.read_bytes()) for path in sorted(folder.rglob("*.jsonl")))


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _crashed(items: Sequence[str]) -> str:
    return _run("-c", CRASHES, given=json.dumps(items), code=1)


def _run(*arguments: str, given: str = "", code: int = 0) -> str:
    """All that a Python program writes."""
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [sys.executable, *arguments],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


ROWS = (Row(51, "callers tell of themselves", measure, beside=True),)
