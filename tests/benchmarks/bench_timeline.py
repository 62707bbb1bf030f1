"""Print how fast the page of a 30-minute call is: `python tests/benchmarks/bench_timeline.py`.

The call is the recorded call tool-slow, repeated for 30 minutes: as dense as a call is whose caller
never rests. Nothing is asserted here.
"""
# ruff: noqa: E402, T201 -- tests are found by a path that a script has to add; and this one prints

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from telephony.timeline.model import CallTimeline, Peaks, Sound
from telephony.timeline.page import html
from tests.chromium import Chromium, chromium
from tests.telephony.timeline.timelines import read_calls

MINUTES = 30

FRAMES = 60

OPENED = """(() => {
  const of = (kind) => performance.getEntriesByType(kind);
  const [page] = of("navigation");
  const paint = of("paint").find((each) => each.name === "first-contentful-paint");
  return [performance.getEntriesByName("shown")[0].startTime, paint?.startTime ?? null,
    page.loadEventEnd];
})()"""

SCROLLED = """new Promise((done) => {
  const { stage } = window.offhook;
  stage.show(0, PIXEL);
  const draws = [];
  const draw = stage.draw.bind(stage);
  stage.draw = () => {
    const began = performance.now();
    draw();
    draws.push(performance.now() - began);
  };
  let n = 0;
  const step = () => {
    if (n++ === 60) {
      stage.draw = draw;
      draws.sort((a, b) => a - b);
      done([draws[30], draws.at(-1)]);
      return;
    }
    stage.show(stage.fromMs + 40 * stage.msPerPixel, stage.msPerPixel);
    requestAnimationFrame(step);
  };
  step();
})"""


def repeated(call: CallTimeline, sound: Sound, minutes: int) -> tuple[CallTimeline, Sound]:
    """A call, as often as it takes."""
    each_ms = len(sound.caller) // 80 * 10
    times = minutes * 60_000 // each_ms
    raw, spans, figures, turns = [], [], [], []
    for n in range(times):
        late, rows, first = n * each_ms, n * len(call.raw), n * len(call.spans)
        lines = n * len(call.turns)
        for row in call.raw:
            begins, ends = row.from_ms + late, row.until_ms + late
            raw.append(replace(row, n=row.n + rows, from_ms=begins, until_ms=ends))
        for span in call.spans:
            begins, ends = span.from_ms + late, span.until_ms + late
            refs = tuple(ref + rows for ref in span.raw)
            turn = span.turn and span.turn + lines
            moved = replace(span, from_ms=begins, until_ms=ends)
            spans.append(replace(moved, raw=refs, turn=turn))
        figures += [replace(figure, span=figure.span + first) for figure in call.figures]
        for line in call.turns:
            begins, ends = line.from_ms + late, line.until_ms + late
            refs = tuple(ref + rows for ref in line.raw)
            said = replace(line, from_ms=begins, until_ms=ends)
            turns.append(replace(said, n=line.n + lines, raw=refs))
    bars = each_ms // call.peaks.every_ms
    each = call.peaks
    peaks = Peaks(each.every_ms, each.caller[:bars] * times, each.agent[:bars] * times)
    about = replace(call.about, name=f"{minutes} minutes", duration_ms=times * each_ms)
    long = CallTimeline(about, tuple(turns), tuple(spans), tuple(figures), peaks, tuple(raw))
    size = each_ms * 8
    return long, Sound(sound.caller[:size] * times, sound.agent[:size] * times)


async def busy_ms(browser: Chromium) -> float:
    """How much CPU time the thread of the page has taken for its tasks."""
    metrics = (await browser.command("Performance.getMetrics"))["metrics"]
    seconds = {each["name"]: each["value"] for each in metrics}
    return 1_000 * float(seconds["TaskDuration"])


async def look(browser: Chromium, file: Path) -> None:
    """Open the page, scroll it at three zooms, and print how long that took."""
    await browser.command("Performance.enable", timeDomain="threadTicks")
    for _ in range(3):
        await browser.goto("about:blank")
        before = await busy_ms(browser)
        await browser.goto(file.as_uri())
        await browser.until("'offhook' in window")
        shown, painted, loaded = await browser.evaluate(OPENED)
        busy = await busy_ms(browser) - before
        print(
            f"opened: drawn after {shown:.0f} ms, first paint after {painted or 0:.0f} ms, all "
            f"read after {loaded:.0f} ms; the page's thread was busy for {busy:.0f} ms of CPU"
        )
    for pixel, what in ((2, "closest"), (20, "20 s on the page"), (2_000, "the whole call")):
        before = await busy_ms(browser)
        median, most = await browser.evaluate(SCROLLED.replace("PIXEL", str(pixel)))
        busy = (await busy_ms(browser) - before) / FRAMES
        print(
            f"scrolled, {what}: a frame takes {busy:.1f} ms of CPU on average; it is drawn in "
            f"{median:.1f} ms (median), {most:.1f} ms at most"
        )
    print(f"errors: {browser.errors or 'none'}; asked for: {len(set(browser.requests))} address")


async def measure() -> None:
    """Make the page, and look at it."""
    call, sound = repeated(*read_calls("tool-slow"), MINUTES)
    began_s = process_time()
    page = html(call, sound)
    print(
        f"{MINUTES} min: {len(call.spans)} spans, {len(call.raw)} rows, {len(page) / 1e6:.1f} MB, "
        f"written in {process_time() - began_s:.2f} s of CPU"
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / "long.html"
        file.write_text(page, encoding="utf-8")
        async with chromium(Path(folder)) as browser:
            began_s = perf_counter()
            await look(browser, file)
            print(f"all of it in {perf_counter() - began_s:.0f} s")


if __name__ == "__main__":
    asyncio.run(measure())
