"""A caller with a fake microphone, through the browser phone, the real server and the real SDK to
the simulated Gemini, and back: in a real Chromium.
"""

import asyncio
from pathlib import Path

import numpy as np

from agent.simulator.script import Script, parse
from agent.simulator.voice import clip
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, ULAW_SILENCE
from telephony.audio.g711 import decode, encode
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import StreamEnded, StreamStarted
from telephony.twilio.messages import Dtmf, Media
from tests.benchmarks.quality.judge import cut, in_a_row, judge
from tests.browser.trial import CALL_S, QUIET_S, TALKS_OVER, Record, said, trial
from tests.chromium import chromium
from tests.end_to_end.barge_ins import ulaw_of
from tests.end_to_end.watching import Step
from tests.judges.words import Words
from tests.programs import pesq_is_here

WORDS = {name: clip(f"agent/{name}").text for name in ("still-here", "times", "name", "confirm")}
TABLE, HALF_PAST, MORGAN = (clip(f"caller/{n}").text for n in ("table", "half-past", "morgan"))


async def test_a_call_is_understood_and_interrupted_takes_keys_and_survives_a_lost_socket(
    tmp_path: Path,
) -> None:
    heard = said(*TALKS_OVER, 14.0, "morgan", 60.0)
    async with trial(tmp_path, heard) as tried, asyncio.timeout(CALL_S):
        page, steps = tried.page, tried.steps
        await page.click("#call")
        told = await tried.shown(WORDS["name"])
        interrupted = await tried.record()

        await page.click("[data-key='4']")
        await page.key("2")
        await steps.until(lambda step: isinstance(step.event, Dtmf), times=2)

        await page.click("summary")
        await page.click("#lose")
        await steps.until(lambda step: isinstance(step.event, StreamStarted), times=2)
        later = await tried.shown(WORDS["confirm"])
        survived = await tried.record()
        ended = await tried.hang_up()

    assert (told[0], told[1], *told[3:]) == (WORDS["still-here"], TABLE, HALF_PAST, WORDS["name"])
    assert WORDS["times"].startswith(told[2])  # it was cut before all its words had come
    assert later[: len(told)] == told
    assert MORGAN in later
    assert_nothing_stale_is_heard(interrupted)
    assert [step.event.digit for step in steps.seen if isinstance(step.event, Dtmf)] == ["4", "2"]
    assert [note["digit"] for note in survived.noted("key")] == ["4", "2"]
    assert survived.streams == 2
    assert [note["broken"] for note in survived.noted("closed")] == [True]
    assert first_end(steps.seen).how == "broken"
    assert survived.noted("warning") == []
    assert "caller hangup" in ended
    assert page.errors == []
    assert all(url.startswith((tried.dev.url, own_socket(tried.dev.url))) for url in page.requests)


def first_end(steps: list[Step]) -> StreamEnded:
    """How the first stream that ended did so."""
    return next(step.event for step in steps if isinstance(step.event, StreamEnded))


def own_socket(url: str) -> str:
    return f"ws{url.removeprefix('http')}/twilio/media"


def assert_nothing_stale_is_heard(record: Record) -> None:
    """From the clear on, the caller hears silence, and then the next reply to the sample. A reply
    is held first, and may go on before it is cut: the last clear counts.
    """
    *_, clear = record.noted("clear")
    first = clear["at"] // FRAME_SAMPLES
    assert record.samples[first] == 0
    after = [
        record.heard[(first + n) * FRAME_SAMPLES :][:count]
        for n, count in enumerate(record.samples[first:])
    ]
    heard = encode(np.concatenate(after).astype("<i2").tobytes()).rstrip(ULAW_SILENCE)
    assert heard == encode(decode(ulaw_of("name").rstrip(ULAW_SILENCE)))


async def test_speech_reaches_the_server_as_well_as_the_codec_lets_it(tmp_path: Path) -> None:
    pesq_is_here()
    sentence = clip("caller/table", PHONE_RATE_HZ)
    heard = said(QUIET_S) + in_a_row([sentence.pcm] * 4) + said(30.0)
    async with trial(tmp_path, heard, Script((), greeting="still-here")) as tried:
        async with asyncio.timeout(CALL_S):
            await tried.page.click("summary")
            await tried.page.click("#cancels")
            await tried.page.click("#call")
            await tried.shown(clip("agent/sorry").text)
            await tried.hang_up()
    media = [step.event for step in tried.steps.seen if isinstance(step.event, Media)]
    received = b"".join(decode(each.payload) for each in media)
    # Where the machine stalls, the browser leaves out a part of what its microphone hears. So the
    # sentence is said several times, and the best of them is found, and judged.
    (piece,), _ = cut(received, [sentence.pcm], PHONE_RATE_HZ)
    score = judge(sentence.pcm, piece, PHONE_RATE_HZ, Words({"table": sentence.text}))
    assert score.sentence == "table"
    assert score.pesq is not None
    assert score.pesq >= 4


async def test_a_refused_or_missing_microphone_is_told_in_words_and_nobody_is_called(
    tmp_path: Path,
) -> None:
    async with trial(tmp_path, said(1.0)) as tried, asyncio.timeout(CALL_S):
        page = tried.page
        for error, words in (
            ("NotAllowedError", "Allow it beside the address"),
            ("NotFoundError", "No microphone was found"),
            ("NotReadableError", "Another program holds the microphone"),
        ):
            refuse = f"() => Promise.reject(new DOMException('', '{error}'))"
            await page.evaluate(f"void (navigator.mediaDevices.getUserMedia = {refuse})")
            await page.click("#call")
            await page.until(f"document.getElementById('problem').innerText.includes({words!r})")
            await page.until("!document.getElementById('call').hidden")
        assert not any("/calls" in url for url in page.requests)


async def test_a_call_is_placed_and_ended_by_keyboard_alone(tmp_path: Path) -> None:
    async with trial(tmp_path, said(30.0)) as tried, asyncio.timeout(CALL_S):
        page = tried.page
        await page.evaluate("document.getElementById('call').focus()")
        await page.key("Enter")
        await tried.shown(WORDS["still-here"])
        assert await page.evaluate("document.activeElement.id") == "hang-up"
        await page.key("Enter")
        await page.until("document.getElementById('ended').textContent")
        await page.until("document.activeElement.id === 'call'")


MENU = """
name = "Mira"
instructions = "You are Mira."
[transfers.sales]
to = "+14155550101"
[menu]
says = "Press 1."
[menu.keys]
1 = "agent"
"""
TRANSFERS = parse(
    """
    greeting = "still-here"
    on_text = "sorry"
    [[turns]]
    expect = "morgan"
    say = "goodbye"
    then = { tool = "transfer", arguments = { to = "sales" } }
    """
)


async def test_a_menu_takes_a_key_and_the_person_says_how_a_transfer_goes(tmp_path: Path) -> None:
    file = tmp_path / "mira.toml"
    file.write_text(MENU, encoding="utf-8")
    heard = said(12.0, "morgan", 60.0)
    async with trial(tmp_path, heard, TRANSFERS, personas=file) as tried, asyncio.timeout(CALL_S):
        page = tried.page
        await page.click("#call")
        await page.until("document.getElementById('lines').innerText.includes('Press 1.')")
        await page.click("[data-key='1']")
        await page.until("!document.getElementById('transfer').hidden")
        told = await page.evaluate("document.getElementById('transfer-words').innerText")
        await page.click("[data-answer='busy']")
        lines = await tried.shown(clip("agent/sorry").text)
        record = await tried.record()
        await tried.hang_up()
    assert "+14155550101" in told
    assert lines[:3] == [WORDS["still-here"], MORGAN, clip("agent/goodbye").text]
    assert record.streams == 2
    assert [note["broken"] for note in record.noted("closed")] == [False]


async def test_a_page_that_is_left_hangs_up(tmp_path: Path) -> None:
    async with trial(tmp_path, said(30.0)) as tried, asyncio.timeout(CALL_S):
        await tried.page.click("#call")
        await tried.shown(WORDS["still-here"])
        await tried.page.goto("about:blank")
        ended = await tried.steps.until(lambda step: reason_of(step) is not None)
    assert reason_of(ended) is EndedReason.CALLER_HANGUP


def reason_of(step: Step) -> EndedReason | None:
    """Why a call is over, if this step ended it."""
    found = (command.reason for command in step.commands if isinstance(command, EndCall))
    return next(found, None)


async def test_an_address_without_the_key_shows_no_telephone(tmp_path: Path) -> None:
    async with (
        trial(tmp_path, said(1.0)) as tried,
        chromium(tmp_path) as stranger,
        asyncio.timeout(CALL_S),
    ):
        await stranger.goto(tried.dev.url)
        assert await stranger.evaluate("document.getElementById('call')") is None
        assert "Open it by the address" in await stranger.evaluate("document.body.innerText")
