"""While persona files change, one worker answers a call and another one gets its stream: nobody is
recorded who was not told so.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.simulator.server import SimulatedGemini
from telephony.call.events import StreamStarted
from telephony.replay.reader import read
from telephony.simulator import call_flow
from telephony.twilio.urls import MEDIA_PATH
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import LocalWorker, place, serving
from tests.end_to_end.twilio import new_call_sid, ring

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

NOTICE = "This call is recorded."
PLAIN = 'name = "Mira"\ninstructions = "You are Mira."\n'
RECORDS = f'{PLAIN}[recording]\non = true\nnotice = "{NOTICE}"\n'
TALKS = caller(SAY_MORGAN, HANG_UP)


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twilio's voice takes no time: ours is dear."""
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)


@asynccontextmanager
async def two(
    gemini: SimulatedGemini, redis_url: str, folder: Path, answers: str, streams: str
) -> AsyncIterator[tuple[LocalWorker, LocalWorker]]:
    """One that answers with this persona file, and one that gets the streams with that one."""
    states = [folder / name for name in ("one", "two")]
    files = [state / "mira.toml" for state in states]
    for file, persona in zip(files, (answers, streams), strict=True):
        file.parent.mkdir()
        file.write_text(persona)
    first, second = map(str, states)
    async with (
        serving(gemini, redis_url=redis_url, personas=files[0], state_dir=first) as one,
        serving(gemini, redis_url=redis_url, personas=files[1], state_dir=second) as other,
    ):
        yield one, other


def streams_at_the_second(path: str) -> int:
    return int(path == MEDIA_PATH)


def recorded(folder: Path) -> int:
    """How many recordings there are. One that was begun, and had no stream, is deleted."""
    found = [read(each) for each in folder.glob("*/recordings/*.call")]
    for each in found:
        assert any(isinstance(event, StreamStarted) for event, _ in each.events)
    return len(found)


@pytest.mark.parametrize(
    ("answers", "streams", "recordings"),
    [(RECORDS, RECORDS, 1), (PLAIN, RECORDS, 0), (RECORDS, PLAIN, 0), (PLAIN, PLAIN, 0)],
    ids=["both", "the second", "the first", "neither"],
)
async def test_a_call_is_recorded_only_where_its_caller_was_told(
    gemini: SimulatedGemini,
    redis_server: "RedisServer",
    tmp_path: Path,
    answers: str,
    streams: str,
    recordings: int,
) -> None:
    async with two(gemini, redis_server.url, tmp_path, answers, streams) as (one, other):
        report = await place(TALKS, one.url, other.url, route=streams_at_the_second)
    assert report.problems == ()
    assert report.announced == ((NOTICE,) if answers == RECORDS else ())
    assert recorded(tmp_path) == recordings


async def test_a_worker_that_had_begun_to_record_does_not_if_another_one_answered(
    gemini: SimulatedGemini, redis_server: "RedisServer", tmp_path: Path
) -> None:
    """Its own answer, with the notice, was lost."""
    call_sid = new_call_sid()
    async with two(gemini, redis_server.url, tmp_path, PLAIN, RECORDS) as (one, other):
        await ring(other.url, call_sid)
        urls = (one.url, other.url)
        report = await place(TALKS, *urls, route=streams_at_the_second, call_sid=call_sid)
    assert (report.problems, report.announced) == ((), ())
    assert recorded(tmp_path) == 0
