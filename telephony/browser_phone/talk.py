"""A program that talks with a running `offhook dev`, in place of its page: one call, line by line.

It is the page without a browser: it asks the same routes for the call, carries the same stream with
the simulated telephone, and reads the same events.

    say ──▶ the caller's line is final ──▶ the agent's next line is final: heard, or cut

A line of the agent is final when the mark behind its last audio has returned. So an answer is over
at a position of the audio, and not when it has been silent for some time.

client, stream, reader of events   acquired and released: `talk`
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from telephony.browser_phone.door import STREAM_PATH
from telephony.errors import UsageError
from telephony.simulator import stream
from telephony.simulator.clock import Clock
from telephony.simulator.director import KEY_GAP_MS, Action, Director, Press
from telephony.simulator.faults import CallFaults
from telephony.simulator.http_client import http_client
from telephony.simulator.line import Line
from telephony.simulator.script import HangUp, Keys, Script, Utterance
from telephony.simulator.workers import Workers

ANSWER_S = 30.0
"""How long to wait for an answer."""

NO_SERVER = "start `offhook dev`, and give the address that it prints, with its key"


@dataclass(frozen=True, slots=True)
class Told:
    """What has happened in the call.

    Args:
        kind: ``caller``: what the model understood. ``agent``: what was heard of it. ``over``: the
            call has ended. ``problem``: why the talk ended early.
        text: The words; of ``over``, the reason.
        at_ms: When it began, in the call's time.
        cut: Whether the agent was cut off before the end.
    """

    kind: Literal["caller", "agent", "over", "problem"]
    text: str
    at_ms: int = 0
    cut: bool = False


class Mouthpiece(Director):
    """A caller who says what is put in `says`, as soon as it is there."""

    def __init__(self) -> None:
        super().__init__(Script(()))
        self.says: deque[Utterance | Keys | HangUp] = deque()
        self._pressed: deque[tuple[int, str]] = deque()

    def step(self, now_ms: int) -> list[Action]:
        """The caller's actions now."""
        actions: list[Action] = []
        while self.says:
            match self.says.popleft():
                case Keys(digits):
                    due = (now_ms + KEY_GAP_MS * n for n in range(len(digits)))
                    self._pressed.extend(zip(due, digits, strict=True))
                case deed:
                    actions.append(deed)
        while self._pressed and self._pressed[0][0] <= now_ms:
            actions.append(Press(self._pressed.popleft()[1]))
        return actions


async def talk(
    address: str,
    says: AsyncIterator[Utterance | Keys],
    tell: Callable[[Told], None],
    *,
    answer_s: float = ANSWER_S,
) -> bool:
    """Place a call, wait for the greeting, say each line and wait for its answer, and hang up.

    Args:
        address: The address that `offhook dev` prints, with its key.
        says: What to say; the next one is asked for when the last one was answered.
        tell: Called with everything that happens, as soon as it is final.
        answer_s: How long to wait for each answer, in seconds.

    Returns:
        Whether everything was said and answered.

    Raises:
        UsageError: There is no such server, or it does not know this key.
    """
    parts = urlsplit(address)
    url = f"{parts.scheme}://{parts.netloc}"
    async with http_client(timeout_s=answer_s) as client:
        client.headers["origin"] = url
        try:
            (await client.get(address, follow_redirects=True)).raise_for_status()
            placed = await _asked(client, f"{url}/phone/calls")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # ValueError: no JSON
            raise UsageError(f"--to: expected a server, got {_why(error)}; {NO_SERVER}") from None
        talking = _Talk(client, url, placed, tell, answer_s)
        return await talking.run(says)


async def _asked(client: httpx.AsyncClient, url: str, **body: object) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.post(url, json=body)).raise_for_status().json()
    return answer


def _why(error: Exception) -> str:
    """Why a request failed, without the key that is in its address."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return str(error) or type(error).__name__


class _Talk:
    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        placed: dict[str, Any],
        tell: Callable[[Told], None],
        answer_s: float,
    ) -> None:
        self._client, self._url, self._tell, self._answer_s = client, url, tell, answer_s
        self._placed = placed
        self._call = f"{url}/phone/calls/{placed['callSid']}"
        self._caller = Mouthpiece()
        self._lines: asyncio.Queue[Told] = asyncio.Queue()

    async def run(self, says: AsyncIterator[Utterance | Keys]) -> bool:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read_events(), name="events")
            carrying = tasks.create_task(self._follow(), name="call")
            whole = await self._converse(says)
            self._caller.says.append(HangUp())
            await carrying
            reading.cancel()
        return whole

    async def _converse(self, says: AsyncIterator[Utterance | Keys]) -> bool:
        if not await self._answered(heard_caller=True):
            return False
        try:
            async for deed in says:
                self._caller.says.append(deed)
                if not await self._answered(heard_caller=isinstance(deed, Keys)):
                    return False
        except UsageError as error:  # in a line that was only read now
            self._tell(Told("problem", str(error)))
            return False
        return True

    async def _answered(self, *, heard_caller: bool) -> bool:
        """Wait for the agent's next line; it answers the caller if the caller's line is before."""
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    told = await self._lines.get()
                    self._tell(told)
                    if told.kind == "over":
                        return False
                    if told.kind == "agent" and heard_caller:
                        return True
                    heard_caller = heard_caller or told.kind == "caller"
        except TimeoutError:
            self._tell(Told("problem", f"no answer within {self._answer_s:g} s"))
            return False

    async def _read_events(self) -> None:
        events = f"{self._call}/events"
        try:
            async with self._client.stream("GET", events, timeout=None) as answer:
                async for row in answer.aiter_lines():
                    if row.startswith("data: "):
                        self._happened(json.loads(row.removeprefix("data: ")))
        except httpx.HTTPError as error:
            self._lines.put_nowait(Told("over", _why(error)))

    def _happened(self, data: dict[str, Any]) -> None:
        match data:
            case {"kind": "line", "role": "caller" | "agent" as role, "heard": heard}:
                cut = heard != data["text"]
                self._lines.put_nowait(Told(role, heard, data["at_ms"], cut))
            case {"kind": "over"}:
                self._lines.put_nowait(Told("over", data["reason"]))
            case _:
                pass

    async def _follow(self) -> None:
        try:
            why = await self._obey()
        except (httpx.HTTPError, stream.StreamRefusedError) as error:
            why = _why(error)
        self._lines.put_nowait(Told("over", why))

    async def _obey(self) -> str:
        """Do as the documents say until the call is over; what asks for a person is passed over.

        Returns:
            Why it is over.
        """
        todo = self._placed
        while todo["do"] != "end":
            broken = await self._carry(todo["stream"]) if todo["do"] == "stream" else False
            if broken is None:
                await _asked(self._client, f"{self._call}/end")
                return "the caller hung up"
            todo = await _asked(self._client, f"{self._call}/next", broken=broken)
        return str(todo["words"] or "the line was hung up")

    async def _carry(self, start: dict[str, Any]) -> bool | None:
        """Carry a stream. Returns whether it broke; None once the caller has hung up."""
        cookie = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        headers = {"Cookie": cookie, "Origin": self._url}
        media = f"ws{self._url.removeprefix('http')}{STREAM_PATH}"
        socket, _ = await stream.connect(media, Workers([self._url]), headers)
        clock, faults = Clock(), CallFaults()
        line = Line(
            start["streamSid"],
            start["callSid"],
            start["accountSid"],
            start["parameters"],
            rng=random.Random(1),  # noqa: S311 - nothing is left to chance on a good line
            faults=faults.line,
        )

        async def ending(_how: stream.End) -> None:
            """Nothing has to be told before the server is."""

        try:
            line.open(clock.now_ms())
            end = await stream.carry(
                socket,
                line,
                self._caller,
                clock,
                lambda _event: None,
                moved=lambda: False,
                ending=ending,
                faults=faults,
            )
            await socket.close_without_code()
        finally:
            socket.break_off()
        return None if end.end is stream.End.HANG_UP else end.end is stream.End.BROKEN
