"""A text model writes JSON by a schema: the real SDK, against the simulated Gemini."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import pytest

from agent.gemini.author import GeminiAuthor
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from agent.simulator.faults import Generation
from agent.simulator.server import SimulatedGemini
from agent.summary.schema import SummaryField, json_schema, model_of
from agent.summary.writer import NotWritten
from tests.forked import ROOT

FIRST_REQUEST = """
import asyncio, sys
from agent.gemini.author import warm_up
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from agent.summary.writer import NotWritten

async def ask():
    live = GeminiLive(GeminiSettings(api_key="any", base_url="https://127.0.0.1:9"))
    live.warm_up()
    await warm_up()
    before = set(sys.modules)
    try:
        await live.author("model").write("", "", {})
    except NotWritten:
        print(*(set(sys.modules) - before))

asyncio.run(ask())
"""
"""Asks where nobody listens, and prints which modules were imported for that."""

API_KEY = "AIza-not-a-real-key"
MODEL = "gemini-3.8-flash"
FIELDS = [SummaryField("reason", "string", "Why.", ("order", "other"))]
SUMMARY = model_of(FIELDS)


@pytest.fixture
async def gemini() -> AsyncIterator[SimulatedGemini]:
    async with SimulatedGemini() as running:
        yield running


@pytest.fixture
async def author(gemini: SimulatedGemini) -> AsyncIterator[GeminiAuthor]:
    settings = GeminiSettings(
        api_key=API_KEY, base_url=gemini.base_url, ca_file=str(gemini.ca_file)
    )
    live = GeminiLive(settings)
    yield live.author(MODEL)
    await live.aclose()


async def test_what_is_asked_for_comes_by_the_schema(
    gemini: SimulatedGemini, author: GeminiAuthor
) -> None:
    text = "hello " * 30_000  # more than one read of the socket
    written = await author.write("An instruction.", text, json_schema(SUMMARY))
    found = SUMMARY.model_validate_json(written.text).model_dump(by_alias=True)
    assert found["reason"] == "order"
    assert found["summary"] == text[-200:]
    assert written.read > len(text) // 4
    assert written.wrote > 0
    [asked] = gemini.server.asked
    assert (asked.model, asked.instruction, asked.said) == (MODEL, "An instruction.", text)
    assert asked.schema == json_schema(SUMMARY)


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (403, False), (404, False), (429, True), (500, True)]
)
async def test_a_refusal_says_whether_asking_later_may_help(
    gemini: SimulatedGemini, author: GeminiAuthor, status: int, passing: bool
) -> None:
    gemini.inject(Generation(status))
    with pytest.raises(NotWritten, match=f"HTTP {status}") as refused:
        await author.write("", "hello", {})
    assert refused.value.passing is passing
    assert len(gemini.server.asked) == 1, "the SDK repeats nothing by itself"
    await author.write("", "hello", {})


async def test_an_answer_that_is_not_json_is_handed_on_as_it_is(
    gemini: SimulatedGemini, author: GeminiAuthor
) -> None:
    gemini.inject(Generation(200, '{"summary": "The call'))
    assert (await author.write("", "hello", {})).text == '{"summary": "The call'


async def test_a_model_that_cannot_be_reached_may_be_reached_later() -> None:
    async with SimulatedGemini() as gone:
        settings = GeminiSettings(
            api_key=API_KEY, base_url=gone.base_url, ca_file=str(gone.ca_file)
        )
        live = GeminiLive(settings)
    with pytest.raises(NotWritten) as refused:
        await live.author(MODEL).write("", "hello", {})
    assert refused.value.passing
    assert API_KEY not in refused.value.why
    await live.aclose()


async def test_the_first_request_after_the_warm_up_imports_nothing() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FIRST_REQUEST, cwd=ROOT, stdout=PIPE
    )
    out, _ = await process.communicate()
    assert (process.returncode, out.split()) == (0, [])
