"""What happens in the calls of the pages, as server-sent events: an observer of the server.

Only calls that were placed here are listened to. Nothing waits for a page: an observer puts down
what happened, and each page reads from there at its own pace.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence

from agent.conversation.commands import AppendLine, OpenModel
from agent.conversation.events import SessionLost, SessionReady
from telephony.call.commands import Command, EndCall
from telephony.call.events import Event

KEPT_CALLS = 8
KEPT_EVENTS = 2000
"""Of one call; a call of an hour has a few hundred lines. Later ones are not shown."""

BEAT_S = 10.0
"""How often an idle page is told that the server is still there."""


class Happened:
    """What has happened in one call so far: text of server-sent events."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.over = False
        self._more = asyncio.Event()

    def put(self, kind: str, **about: object) -> None:
        """Something has happened."""
        if len(self.events) < KEPT_EVENTS:
            data = json.dumps({"kind": kind, **about}, ensure_ascii=False)
            self.events.append(f"id: {len(self.events)}\ndata: {data}\n\n")
        self.wake()

    def close(self) -> None:
        """Nothing more will happen."""
        self.over = True
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._more.set()
        self._more = asyncio.Event()

    async def wait(self) -> None:
        """Until more has happened, or for `BEAT_S`."""
        try:
            async with asyncio.timeout(BEAT_S):
                await self._more.wait()
        except TimeoutError:
            pass


class Live:
    """The observer, and what it keeps of the newest calls."""

    wants = frozenset({AppendLine, EndCall, OpenModel, SessionLost, SessionReady})

    def __init__(self) -> None:
        self._calls: OrderedDict[str, Happened] = OrderedDict()
        self._closed = False

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Look at one step of a call."""
        happened = self.of(call_sid)
        match event:
            case SessionLost():
                happened.put("model", state="lost", at_ms=now_ms)
            case SessionReady():
                happened.put("model", state="ready", at_ms=now_ms)
            case _:
                pass
        for command in commands:
            match command:
                case AppendLine(line=line):
                    happened.put(
                        "line", role=line.role, text=line.text, heard=line.heard, at_ms=line.at_ms
                    )
                case EndCall(final=True):  # else the call comes back, or goes on elsewhere
                    happened.put("over", reason=command.reason, cost=command.cost)
                case _:
                    pass

    def of(self, call_sid: str) -> Happened:
        """What happens in a call."""
        if call_sid not in self._calls:
            while len(self._calls) >= KEPT_CALLS:
                self._calls.popitem(last=False)[1].close()
            self._calls[call_sid] = Happened()
        return self._calls[call_sid]

    def close(self) -> None:
        """Let every page go, because the server stops."""
        self._closed = True
        for happened in self._calls.values():
            happened.close()

    async def events(self, call_sid: str, after: int) -> AsyncIterator[str]:
        """The server-sent events of a call, behind the one with that id, until it is forgotten."""
        happened, at = self.of(call_sid), after + 1
        while not (happened.over or self._closed):
            for event in happened.events[at:]:
                yield event
            at = max(at, len(happened.events))
            before = at
            await happened.wait()
            if len(happened.events) == before:
                yield ": still here\n\n"
