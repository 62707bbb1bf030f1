"""Take the picture of docs/timeline.md: `python -m tests.telephony.timeline.picture`."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from telephony.timeline.page import html
from tests.chromium import chromium
from tests.telephony.timeline.timelines import read_calls

FILE = Path(__file__).parents[3] / "docs/images/timeline.png"


async def take(file: Path) -> None:
    """Open the page of a call, light its barge-in, and save what is seen."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "call.html"
        page.write_text(html(*read_calls("tool-slow")), encoding="utf-8")
        async with chromium(Path(folder)) as browser:
            await browser.window(1280, 920)
            await browser.goto(page.as_uri())
            await browser.until("'offhook' in window")
            await browser.click("#figures button[data-kind=barge_in]")
            await browser.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            # The light appears within a quarter of a second.
            await browser.until("document.getAnimations().length === 0")
            await browser.screenshot(file)


if __name__ == "__main__":
    asyncio.run(take(FILE))
