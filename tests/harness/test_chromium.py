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
        await browser.until("window.keys.length === 2")
        assert await browser.evaluate("window.clicked") is True
        keys = await browser.evaluate("window.keys")
        assert keys == [["ArrowLeft", True, True], ["?", False, True]]
        told = "\n".join(browser.errors)
        assert "something 7" in told
        assert "nobody catches this" in told
        assert browser.requests == [file.as_uri(), (tmp_path / "missing.json").as_uri()]
        await browser.window(300, 200, dark=True)
        assert await browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        await browser.screenshot(tmp_path / "page.png")
        assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
        with pytest.raises(PageError, match="no such thing"):
            await browser.evaluate("Promise.reject(new Error('no such thing'))")
        with pytest.raises(PageError, match="expected an element #none, got none"):
            await browser.click("#none")
        with pytest.raises(PageError, match="expected false within"):
            await browser.until("false", timeout_s=0.1)
        with pytest.raises(PageError, match="expected a page at file:"):
            await browser.goto((tmp_path / "none.html").as_uri())
