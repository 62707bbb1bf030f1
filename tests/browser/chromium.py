"""A headless Chromium, driven over its DevTools protocol: a page for tests to look at and to use.

process, folder of its profile   acquired and released: `chromium`
socket to a page                 acquired and released: `Browser.page`

Source: the DevTools protocol, version 1.3. Its messages are JSON over a WebSocket: a command has an
`id`, which its answer repeats; an event has none.
"""

import asyncio
import base64
import itertools
import json
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.programs import program

FLAGS = (
    "--headless",
    "--no-sandbox",  # it runs as root in CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
    "--window-size=1180,860",
)

BEAT_S = 0.05
"""How often a page is asked whether something has come true."""

PICTURE = {"x": 0, "y": 0, "width": 1180, "height": 640, "scale": 1}
"""What a screenshot shows, in CSS pixels."""


class PageError(Exception):
    """The page threw, or the browser refused a command."""


class Page:
    """A page. `console` has what it and the browser complained of, and `requests` every URL that it
    asked for.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.console: list[str] = []
        self.requests: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Read what the browser sends, until its socket closes."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
                continue
            about = message["params"]
            match message["method"]:
                case "Log.entryAdded":
                    self.console.append(f"{about['entry']['level']}: {about['entry']['text']}")
                case "Runtime.exceptionThrown":
                    self.console.append(json.dumps(about["exceptionDetails"]))
                case "Network.requestWillBeSent":
                    self.requests.append(about["request"]["url"])
                case "Network.webSocketCreated":
                    self.requests.append(about["url"])
                case _:
                    pass

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        message = await answer
        if "error" in message:
            raise PageError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def run(self, script: str, *, clicked: bool = False) -> Any:
        """The value of an expression, which may be a promise; `clicked` if it needs a gesture."""
        result = await self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=clicked,
        )
        if "exceptionDetails" in result:
            raise PageError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, and return its value."""
        while not (value := await self.run(script)):  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(BEAT_S)
        return value

    async def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does."""
        where = f"document.querySelector({json.dumps(selector)})"
        box = await self.run(
            f"(({where}.scrollIntoView({{block: 'nearest'}})), {where}.getBoundingClientRect()"
            ".toJSON())"
        )
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at
            )

    async def key(self, key: str, text: str = "") -> None:
        """Press a key of the keyboard: its name, and what it types."""
        codes = {"Enter": 13, "Tab": 9, " ": 32}
        about = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0]))}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    async def screenshot(self, path: Path, *, dark: bool = False) -> None:
        """Write a PNG of what is seen, without the page's empty foot."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])
        shot = await self.send("Page.captureScreenshot", format="png", clip=PICTURE)
        path.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240 - a small file


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that runs. `port` is where its DevTools listen."""

    port: int

    @asynccontextmanager
    async def page(self, url: str) -> AsyncIterator[Page]:
        """A new page at an address."""
        async with httpx.AsyncClient(trust_env=False) as client:
            opened = await client.put(f"http://127.0.0.1:{self.port}/json/new?about:blank")
        where = opened.json()["webSocketDebuggerUrl"]
        async with (
            connect(where, max_size=None, proxy=None) as socket,
            asyncio.TaskGroup() as tasks,
        ):
            page = Page(socket)
            listening = tasks.create_task(page.listen())
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.send(f"{domain}.enable")
            await page.send("Page.navigate", url=url)
            await page.until("document.readyState === 'complete'")
            try:
                yield page
            finally:
                listening.cancel()


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A Chromium with a profile of its own and more `flags`. Where it is missing, the test ends."""
    path = program("chromium")
    folder = Path(mkdtemp(prefix="offhook-chromium-"))
    process = await asyncio.create_subprocess_exec(
        path, *FLAGS, f"--user-data-dir={folder}", *flags, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield Browser(await _port(folder / "DevToolsActivePort", process))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)  # its children write a last time


def microphone(path: Path, *, loops: bool = False) -> Sequence[str]:
    """Flags for a microphone that hears a WAV file from the moment that it is opened."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}{'' if loops else '%noloop'}",
    )


async def _port(file: Path, process: Process) -> int:
    """The port that the browser has taken, once it has written it down."""
    while not (lines := _lines(file)):
        assert process.returncode is None, f"chromium ended with {process.returncode}"
        await asyncio.sleep(BEAT_S)
    return int(lines[0])


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").split() if file.exists() else []
