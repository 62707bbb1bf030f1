"""The driver of Chromium tells what a page does, and gives it what a person would."""

from pathlib import Path

import pytest

from tests.chromium import PageError, chromium

PAGE = """<!doctype html><title>A page</title>
<button onclick="window.clicked = event.isTrusted">Press</button>
<script>
window.keys = [];
addEventListener("keydown", (e) => window.keys.push([e.key, e.shiftKey, e.isTrusted]));
console.error("something", 7);
setTimeout(() => { throw new Error("nobody catches this"); });
fetch("missing.json").catch(() => {});
new WebSocket("ws://nowhere.invalid/");
</script>"""


async def test_a_page_is_opened_clicked_typed_at_and_listened_to(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE, encoding="utf-8")
    async with chromium(tmp_path) as browser:
        await browser.goto(file.as_uri())
        assert await browser.evaluate("Promise.resolve(document.title)") == "A page"
        await browser.click("button")
        await browser.key("ArrowLeft", shift=True)
        await browser.key("?")
        assert await browser.until("window.keys.length === 2 && 'both'") == "both"
        assert await browser.evaluate("window.clicked") is True
        keys = await browser.evaluate("window.keys")
        assert keys == [["ArrowLeft", True, True], ["?", False, True]]
        told = "\n".join(browser.errors)
        assert "something 7" in told
        assert "nobody catches this" in told
        missing = (tmp_path / "missing.json").as_uri()
        assert browser.requests == [file.as_uri(), missing, "ws://nowhere.invalid/"]
        await browser.window(300, 200, dark=True)
        assert await browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        await browser.screenshot(tmp_path / "page.png")
        assert size_of(tmp_path / "page.png") == (300, 200)
        await browser.screenshot(tmp_path / "part.png", (120, 80))
        assert size_of(tmp_path / "part.png") == (120, 80)
        with pytest.raises(PageError, match="no such thing"):
            await browser.evaluate("Promise.reject(new Error('no such thing'))")
        with pytest.raises(PageError, match="expected an element #none, got none"):
            await browser.click("#none")
        with pytest.raises(PageError, match="expected false within"):
            await browser.until("false", timeout_s=0.1)
        with pytest.raises(PageError, match="expected a page at file:"):
            await browser.goto((tmp_path / "none.html").as_uri())


def size_of(file: Path) -> tuple[int, int]:
    """The width and the height of a PNG, which stand behind its signature (RFC 2083)."""
    png = file.read_bytes()
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
