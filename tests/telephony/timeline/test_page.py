"""The page of a call in a real Chromium: it opens, lights what a figure is of, and obeys keys."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from telephony.audio import g711
from telephony.timeline.model import CallTimeline, Kind
from telephony.timeline.page import MODULES, bundle, html, source
from tests.chromium import Chromium, chromium
from tests.telephony.timeline.timelines import figures, read_calls, rows_of, timeline

KINDS: list[tuple[Kind, str]] = [
    ("response", "tool-slow"),
    ("heard", "tool-slow"),
    ("barge_in", "tool-slow"),
    ("talk_over", "tool-slow"),
    ("tool", "tool-slow"),
    ("dial", "tool-slow"),
    ("hold", "cough"),
    ("silence", "silent-caller"),
    ("gap", "slow-reply"),
    ("resume", "model-lost"),
    ("store_away", "store-away"),
]


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Chromium]:
    async with chromium(tmp_path) as browser:
        yield browser


async def opened(browser: Chromium, folder: Path, name: str) -> str:
    """Open the page of a recorded call. Returns its address."""
    file = folder / f"{name}.html"
    file.write_text(html(*read_calls(name)), encoding="utf-8")
    await browser.goto(file.as_uri())
    await browser.until("'offhook' in window")
    return file.as_uri()


async def settled(browser: Chromium) -> None:
    """Wait until what was asked for is drawn."""
    await browser.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")


LIT = """(() => {
  const stage = document.querySelector("#stage").getBoundingClientRect();
  const page = window.offhook.stage;
  return [...document.querySelectorAll("#lights div")].map((light) => {
    const box = light.getBoundingClientRect();
    return [page.msAt(box.left - stage.left), page.msAt(box.right - stage.left), page.msPerPixel];
  });
})()"""
"""Where each light stands: from and until in ms, and how many ms a pixel is."""


async def test_each_kind_of_figure_lights_its_span_and_marks_its_raw_events(
    browser: Chromium, tmp_path: Path
) -> None:
    shown = ""
    for kind, name in KINDS:
        if name != shown:
            await opened(browser, tmp_path, name)
            shown = name
        call = timeline(name)
        _, span = next(figures(call, kind))
        await browser.click("#tab-figures")
        await browser.click(f"#figures button[data-kind={kind}]")
        await settled(browser)
        ((from_ms, until_ms, dot_ms),) = await browser.evaluate(LIT)
        assert abs(from_ms - span.from_ms) <= max(2 * dot_ms, 20), kind
        assert abs(until_ms - span.until_ms) <= max(2 * dot_ms, 20), kind
        assert dot_ms < 20
        await browser.key("r")
        await settled(browser)
        lit = await browser.evaluate(
            "[...document.querySelectorAll('.row.lit')].map(row => Number(row.dataset.n))"
        )
        assert lit
        assert set(lit) <= set(span.raw)
        assert span.raw[0] in lit
        names = await browser.evaluate(
            "[...document.querySelectorAll('.row.lit .kind')].map(cell => cell.textContent)"
        )
        assert set(names) <= {row.name for row in rows_of(call, span)}
    assert browser.errors == []


async def test_the_page_asks_for_nothing_but_itself_and_runs_no_other_script(
    browser: Chromium, tmp_path: Path
) -> None:
    address = await opened(browser, tmp_path, "barge-in-twice")
    await browser.key(" ")
    await browser.key("r")
    await settled(browser)
    assert browser.requests == [address]
    assert browser.errors == []
    blocked = await browser.evaluate(
        "new Promise(done => { addEventListener('securitypolicyviolation', e => "
        "done(e.violatedDirective)); const s = document.createElement('script'); "
        "s.textContent = 'window.stranger = 1'; document.body.append(s); })"
    )
    assert blocked == "script-src-elem"
    assert await browser.evaluate("window.stranger") is None


async def test_all_can_be_reached_and_done_by_keyboard_alone(
    browser: Chromium, tmp_path: Path
) -> None:
    await opened(browser, tmp_path, "barge-in-twice")
    call = timeline("barge-in-twice")
    now = "window.offhook.player.nowMs"
    await browser.key("n")
    assert await browser.evaluate(now) == call.turns[0].from_ms
    await browser.key("n")
    assert await browser.evaluate(now) == call.turns[1].from_ms
    await browser.key("p")
    assert await browser.evaluate(now) == call.turns[0].from_ms
    await browser.key("Home")
    await browser.key("ArrowRight")
    assert await browser.evaluate(now) == 1_000
    await browser.key("ArrowLeft", shift=True)
    assert await browser.evaluate(now) == 900
    before = await browser.evaluate("window.offhook.stage.msPerPixel")
    await browser.key("+")
    assert await browser.evaluate("window.offhook.stage.msPerPixel") < before
    await browser.key("0")
    assert await browser.evaluate("window.offhook.stage.msPerPixel") == before
    events = sorted(s.from_ms for s in call.spans if s.kind in {"barge_in", "clear", "note"})
    await browser.key("Home")
    await browser.key(".")
    assert await browser.evaluate(now) in events
    await browser.key("?")
    assert await browser.evaluate("document.querySelector('#keys').open")
    await browser.key("Escape")
    assert not await browser.evaluate("document.querySelector('#keys').open")
    focused = await walk(browser)
    wanted = {"play", "play-turn", "turn-after", "event-before", "zoom-in", "hear-caller", "stage"}
    assert wanted | {"theme", "help", "tab-figures"} <= focused
    assert "" in focused  # the turns and the figures, which have no id
    assert browser.errors == []


async def walk(browser: Chromium) -> set[str]:
    """Press Tab until the focus has been everywhere. Returns the ids of what had it, all seen."""
    await browser.evaluate("document.activeElement.blur()")
    ids: set[str] = set()
    for _ in range(200):
        await browser.key("Tab")
        at = await browser.evaluate(
            "(() => { const it = document.activeElement; "
            "if (it === document.body) return null; "
            "const outline = getComputedStyle(it).outlineStyle; return [it.id, outline]; })()"
        )
        if at is None:
            return ids
        assert at[1] != "none", at
        ids.add(at[0])
    raise AssertionError(f"expected the focus to leave the page, got {sorted(ids)}")


async def test_the_cursor_stands_where_the_sound_is(browser: Chromium, tmp_path: Path) -> None:
    """What is played is caught in the browser, and found again in the recording's sound."""
    name = "cough"
    await opened(browser, tmp_path, name)
    _, sound = read_calls(name)
    await browser.evaluate("window.offhook.seek(9900)")
    await browser.key(" ")
    await browser.until("window.offhook.player.nowMs > 9950")
    caught = await browser.evaluate(
        """new Promise((done) => {
          const { player } = window.offhook;
          const ear = player.context.createAnalyser();
          ear.fftSize = 8192;
          player.output.connect(ear);
          const look = () => {
            if (player.nowMs < 11200) return setTimeout(look, 20);
            const heard = new Float32Array(ear.fftSize);
            const before = player.nowMs;
            ear.getFloatTimeDomainData(heard);
            const late = player.context.outputLatency || player.context.baseLatency || 0;
            done({ now: (before + player.nowMs) / 2, late: late * 1000, heard: [...heard] });
          };
          look();
        })"""
    )
    await browser.key(" ")
    end_ms = place_of(caught["heard"], sound.caller, sound.agent) - caught["late"]
    assert abs(caught["now"] - end_ms) <= 20
    assert browser.errors == []


def place_of(heard: list[float], caller: bytes, agent: bytes) -> float:
    """Where in a call these samples end, in ms: where both sides together are most like them."""
    sides = [
        np.frombuffer(g711.decode(side), "<i2").astype(float) / 32768 for side in (caller, agent)
    ]
    both = sides[0] + sides[1]
    piece = np.array(heard)
    assert np.abs(piece).max() > 0.01, "expected sound, got silence"
    size = 1 << (len(both) + len(piece)).bit_length()
    alike = np.fft.irfft(np.fft.rfft(both, size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.concatenate(([0.0], np.cumsum(both**2)))
    begins = np.arange(len(both) - len(piece) + 1)
    loud = np.sqrt(power[begins + len(piece)] - power[begins]) + 1e-6
    best = int(np.argmax(alike[: len(begins)] / loud))
    return (best + len(piece)) / 8


async def test_one_turn_is_played_and_no_more(browser: Chromium, tmp_path: Path) -> None:
    await opened(browser, tmp_path, "barge-in-twice")
    turn = timeline("barge-in-twice").turns[1]
    await browser.key("n")
    await browser.key("n")
    await browser.key("t")
    await browser.until("window.offhook.player.playing")
    await browser.until("!window.offhook.player.playing")
    now = await browser.evaluate("window.offhook.player.nowMs")
    assert abs(now - turn.until_ms) <= 20
    assert browser.errors == []


async def test_what_was_said_is_text_and_never_markup(browser: Chromium, tmp_path: Path) -> None:
    call, sound = read_calls("question")
    evil = "</script><img src=x onerror='window.stranger=1'><!-- {{script}}"
    told = json.loads(call.to_json())
    told["turns"][0] |= {"text": evil, "heard": evil}
    told["about"]["name"] = evil
    file = tmp_path / "evil.html"
    file.write_text(html(decoded(told), sound), encoding="utf-8")
    await browser.goto(file.as_uri())
    assert await browser.evaluate("document.querySelector('h1').textContent") == evil
    shown = await browser.evaluate("document.querySelector('#turns button').textContent")
    assert evil in shown
    assert await browser.evaluate("document.images.length") == 0
    assert browser.errors == []


def decoded(told: dict[str, Any]) -> CallTimeline:
    return msgspec.convert(told, CallTimeline, strict=False)


@pytest.mark.parametrize("dark", [False, True])
async def test_text_is_readable_in_the_light_and_in_the_dark(
    browser: Chromium, tmp_path: Path, dark: bool
) -> None:
    """WCAG 2.2, 1.4.3: text has a contrast of 4.5 at least with what is behind it."""
    await browser.window(1440, 960, dark=dark)
    await opened(browser, tmp_path, "tool-slow")
    await browser.click("#figures button[data-kind=barge_in]")
    await settled(browser)
    pairs = await browser.evaluate(
        """(() => {
          const behind = (it) => {
            for (; it; it = it.parentElement) {
              const colour = getComputedStyle(it).backgroundColor;
              if (/^rgb\\(/.test(colour)) return colour;
            }
            return "rgb(255, 255, 255)";
          };
          const isText = (n) => n.nodeType === 3 && n.data.trim();
          const holdsText = (it) => [...it.childNodes].some(isText);
          return [...document.querySelectorAll("body *")]
            .filter((it) => it.checkVisibility() && holdsText(it))
            .map((it) => [it.textContent.slice(0, 40), getComputedStyle(it).color, behind(it)]);
        })()"""
    )
    assert len(pairs) > 40
    weak = {
        text: contrast(ink, ground) for text, ink, ground in pairs if contrast(ink, ground) < 4.5
    }
    assert weak == {}


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_module_of_the_page_is_in_the_script_and_nothing_is_left_of_imports() -> None:
    for name in MODULES:
        for imported in re.findall(r'from "\./([a-z]+\.js)"', source(name)):
            assert MODULES.index(imported) < MODULES.index(name)
    assert not re.search(r"^\s*(?:import|export)\b", bundle(), re.MULTILINE)
    assert "{{" not in html(*read_calls("question")).partition('id="timeline"')[0]
