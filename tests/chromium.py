"""A real Chromium without a window, driven over its DevTools protocol.

    async with chromium(tmp_path) as browser:
        await browser.goto("http://127.0.0.1:8000/")
        await browser.click("#play")
        assert await browser.evaluate("document.title") == "…"
        assert browser.errors == []

Clicks and keys are those of the browser itself, so the page takes them for a person's. One command
runs at a time. Without Chromium the test is skipped by name (`tests.programs`).

Source: Chrome DevTools Protocol, domains Target, Page, Runtime, Input, Network, Log (tip of tree).
"""

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.programs import program

FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
STARTS_S = 60
"""Within this time it has to be there, also on a busy machine."""

ANSWERS_S = 120
"""Within this time it has to answer each command."""

BEAT_S = 0.05
"""How often a page is asked whether something has come true."""

PORT_FILE = "DevToolsActivePort"

KEYS = {" ": ("Space", 32), "Enter": ("Enter", 13), "Tab": ("Tab", 9), "Escape": ("Escape", 27)}
SHIFT = 8


class PageError(Exception):
    """The page's script raised an exception, or the browser refused a command."""


@dataclass(slots=True)
class Chromium:
    """One page of a browser. Made by `chromium`.

    Attributes:
        errors: What the page wrote to its console as an error or a warning, exceptions that nobody
            caught, and whatever the browser complains of, such as what the page's
            Content-Security-Policy blocked.
        requests: The address of everything that the page asked for, and of each WebSocket.
    """

    _socket: ClientConnection
    _session: str = ""
    _id: int = 0
    _loaded: bool = False
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def goto(self, url: str) -> None:
        """Open an address, and wait until the page is loaded."""
        self._loaded = False
        answer = await self.command("Page.navigate", url=url)
        if "errorText" in answer:
            raise PageError(f"expected a page at {url}, got {answer['errorText']}")
        async with asyncio.timeout(ANSWERS_S):
            while not self._loaded:
                await self._read()

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression comes to, as JSON; a promise is waited for."""
        answer = await self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if (problem := answer.get("exceptionDetails")) is not None:
            raise PageError(problem.get("exception", {}).get("description") or problem["text"])
        return answer["result"].get("value")

    async def until(self, condition: str, timeout_s: float = 60) -> Any:
        """Wait until a JavaScript expression is true, and return its value, as JSON."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (value := await self.evaluate(condition)):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(BEAT_S)
        except TimeoutError:
            raise PageError(f"expected {condition} within {timeout_s} s") from None
        return value

    async def click(self, selector: str) -> None:
        """Click in the middle of the first element that fits a CSS selector."""
        find = f"document.querySelector({json.dumps(selector)})"
        box = await self.evaluate(
            f"(() => {{ const it = {find}; if (!it) return null; "
            "it.scrollIntoView({block: 'center'}); const box = it.getBoundingClientRect(); "
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        if box is None:
            raise PageError(f"expected an element {selector}, got none")
        await self.click_at(*box)

    async def click_at(self, x: float, y: float) -> None:
        """Click at a point of the window, in CSS pixels."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def key(self, key: str, *, shift: bool = False) -> None:
        """Press a key: a character, or a name such as `ArrowLeft`, `Tab` or `Escape`."""
        code, number = KEYS.get(key, (key, ord(key.upper()) if len(key) == 1 else 0))
        press: dict[str, Any] = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        press |= {"text": text} if text else {}
        press |= {"modifiers": SHIFT} if shift else {}
        for kind in ("keyDown", "keyUp"):
            await self.command("Input.dispatchKeyEvent", type=kind, **press)

    async def screenshot(self, file: Path, size: tuple[int, int] | None = None) -> None:
        """Save what is seen of the page as PNG, or only its upper left, so wide and high."""
        clip: dict[str, Any] = {}
        if size is not None:
            clip["clip"] = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        answer = await self.command("Page.captureScreenshot", format="png", **clip)
        png = base64.b64decode(answer["data"])
        file.write_bytes(png)  # noqa: ASYNC240 - a test waits for nothing else meanwhile

    async def window(
        self, width: int, height: int, *, dark: bool = False, dots: float = 1.0
    ) -> None:
        """Make the window so large, in CSS pixels, with so many dots for each of them."""
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=dots,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.command("Emulation.setEmulatedMedia", features=[scheme])

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Give any command of the protocol to the page. Returns its result."""
        self._id += 1
        asked: dict[str, Any] = {"id": self._id, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        await self._socket.send(json.dumps(asked))
        async with asyncio.timeout(ANSWERS_S):
            while (message := await self._read()).get("id") != self._id:
                pass
        if "error" in message:
            raise PageError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def _read(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self._socket.recv())
        if (method := message.get("method")) is not None:
            self._note(method, message["params"])
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(params["url"])
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                told = details.get("exception", {}).get("description") or details["text"]
                self.errors.append(told)
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning", "assert"}:
                told = " ".join(str(each.get("value", each)) for each in params["args"])
                self.errors.append(f"{params['type']}: {told}")
            case "Log.entryAdded":
                self.errors.append(f"{params['entry']['source']}: {params['entry']['text']}")

    async def begin(self) -> None:
        """Open the page, and listen to it."""
        made = await self.command("Target.createTarget", url="about:blank")
        attached = await self.command(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.command(f"{domain}.enable")
        await self.window(1440, 960)


@asynccontextmanager
async def chromium(folder: Path, flags: Sequence[str] = ()) -> AsyncGenerator[Chromium]:
    """Run a browser with an empty profile until the block ends.

    Args:
        folder: Where it keeps its profile: a new folder below it.
        flags: More flags, such as those of a `microphone`.
    """
    profile = Path(mkdtemp(prefix="chromium-", dir=folder))
    process = await asyncio.create_subprocess_exec(
        program("chromium"),
        *FLAGS,
        *flags,
        f"--user-data-dir={profile}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # it has many processes, and all of them are to end
        env={**os.environ, "HOME": str(profile)},
    )
    try:
        address = await _address(profile, process)
        # Between two commands nobody reads: what comes then is kept, so that the socket can close.
        async with connect(address, max_size=None, max_queue=None, proxy=None) as socket:
            browser = Chromium(socket)
            await browser.begin()
            yield browser
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def microphone(speech: Path) -> Sequence[str]:
    """Flags for a microphone that hears a WAV file once, from the moment that it is opened."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={speech}%noloop",
    )


async def _address(profile: Path, process: asyncio.subprocess.Process) -> str:
    """Where the browser listens, once it does: it writes that into its profile."""
    file = profile / PORT_FILE
    async with asyncio.timeout(STARTS_S):
        while not (file.exists() and len(lines := file.read_text().splitlines()) == 2):
            if process.returncode is not None:
                raise PageError(
                    f"expected a Chromium that runs, got exit code {process.returncode}"
                )
            await asyncio.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
