"""Takes the pictures of the documents, from calls in a real browser.

    python -m tests.browser.pictures

They are written to `docs/images/`.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.simulator.voice import clip
from tests.browser.trial import TALKS_OVER, said, trial

PICTURES = Path(__file__).parents[2] / "docs/images"

WINDOW, SEEN = (1180, 860), (1180, 640)
"""In CSS pixels. What is left out is the page's empty foot."""


async def main() -> None:
    """A caller has talked over the agent, and the agent speaks again."""
    with TemporaryDirectory() as folder:
        async with trial(Path(folder), said(*TALKS_OVER, 60.0)) as tried:
            await tried.page.window(*WINDOW)
            await tried.page.click("#call")
            await tried.shown(clip("caller/half-past").text)
            PICTURES.mkdir(exist_ok=True)
            await tried.page.screenshot(PICTURES / "dev.png", SEEN)
            await tried.page.window(*WINDOW, dark=True)
            await tried.page.screenshot(PICTURES / "dev-dark.png", SEEN)
            await tried.hang_up()


if __name__ == "__main__":
    asyncio.run(main())
