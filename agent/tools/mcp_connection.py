"""One connection to an MCP server, through the official client: kept up, checked, shared by calls.

    asked ─▶ up ─check fails, or the connection is lost─▶ down ─after a pause─▶ asked …

The server is checked by asking for its tools: when it is connected to, every `CHECK_EVERY_S`, and
when a call takes long. A program that dies, or does not answer, is started again; the pause before
grows from `FIRST_PAUSE_S` to `LONGEST_PAUSE_S`, and is short again for one that was up for a while.

program or HTTP client   acquired: `_live`; released: there, by the client's context, which stops a
                         program that does not end by itself

Source: mcp 2.3, `client/client.py` and `client/stdio.py`; how it ends was measured.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TextIO

import httpx2
from mcp import Client, types
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from agent.conversation.declaration import Status
from agent.tools.addresses import NotAllowed, address_of
from agent.tools.mcp_program import MOST_BYTES, TOO_LONG, program
from agent.tools.mcp_schema import MAX_DESCRIPTION_CHARS, NotDeclarable, parameters_of
from agent.tools.mcp_server import Listed, McpServer, Standing
from agent.tools.outcome import BROKEN, PERHAPS_DONE, Outcome, outcome_of

CONNECT_WITHIN_S = 10.0
CHECK_EVERY_S = 30.0
CHECK_WITHIN_S = 30.0
"""As long as a tool may run at all: a server may do one thing after the other."""

DOUBT_AFTER_S = 5.0
"""A call that takes longer makes us check the server."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
SETTLED_S = 60.0
"""A server that was up for so long is started again after the first pause."""

BACK_WITHIN_S = 15.0
"""How long a look-up waits for a server that was lost under it, to be tried once more."""

MOST_PAGES = 20

FAILED = "It failed; the data says why."
DONE_PERHAPS = "It was probably done, but its answer was too long to be read. Do not call it again."


class Connection:
    """A server, connected to as long as `run` runs.

    Args:
        server: Which server.
        tell: Takes how it stands: the first time once it was asked, then after each change.
        errors: Where a program's standard error goes; None for nowhere.
    """

    def __init__(
        self, server: McpServer, tell: Callable[[Standing], None], errors: TextIO | None = None
    ) -> None:
        self._server, self._tell, self._errors = server, tell, errors
        self._standing: Standing | None = None
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._doubt = asyncio.Event()

    async def run(self) -> None:
        """Keep it up, until this is cancelled. Raises nothing else."""
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            began_s = loop.time()
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001 - anybody's server, and the client's groups
                down = reason_of(error)
            finally:
                self._client = None
                self._up.clear()
            self._stands(Standing(None if self._standing is None else self._standing.tools, down))
            if loop.time() - began_s > SETTLED_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def call(
        self, name: str, arguments: Mapping[str, object], *, idempotent: bool
    ) -> Outcome:
        """Call a tool. Raises nothing but what a cancellation raises, which the server is told."""
        outcome = await self._call(name, arguments, idempotent=idempotent)
        if outcome.retryable and idempotent and self._client is None:
            try:
                async with asyncio.timeout(BACK_WITHIN_S):
                    await self._up.wait()
            except TimeoutError:
                return outcome
            outcome = await self._call(name, arguments, idempotent=idempotent)
        return outcome

    async def _call(
        self, name: str, arguments: Mapping[str, object], *, idempotent: bool
    ) -> Outcome:
        client = self._client
        if client is None:
            problem = f"MCP server {self._server.name} is down"
            return Outcome(Status.ERROR, retryable=True, hint=BROKEN, problem=problem)
        request = types.CallToolRequest(
            params=types.CallToolRequestParams(name=name, arguments=dict(arguments))
        )
        doubts = asyncio.get_running_loop().call_later(DOUBT_AFTER_S, self._doubt.set)
        try:
            # Not `call_tool`, which checks the result against a schema, for seconds if it is long.
            return _outcome(await client.session.send_request(request, types.CallToolResult))
        except MCPError as error:
            if error.code != types.CONNECTION_CLOSED:
                if error.code == TOO_LONG and not idempotent:
                    return Outcome(Status.UNKNOWN, hint=DONE_PERHAPS, problem="answer too long")
                problem = f"MCP error {error.code}"
                return Outcome(Status.ERROR, hint=BROKEN, problem=problem)
            return self._lost("connection lost", idempotent=idempotent)
        except Exception as error:  # noqa: BLE001 - anybody's server; the call goes on
            return self._lost(reason_of(error), idempotent=idempotent)
        finally:
            doubts.cancel()

    def _lost(self, problem: str, *, idempotent: bool) -> Outcome:
        """What a call came to whose answer is lost: what is no look-up may have been done."""
        self._client = None
        self._up.clear()
        self._doubt.set()
        if idempotent:
            return Outcome(Status.ERROR, retryable=True, hint=BROKEN, problem=problem)
        return Outcome(Status.UNKNOWN, hint=PERHAPS_DONE, problem=problem)

    async def _live(self) -> None:
        """Connect, and stay until the server does not answer."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                ended = self._doubt.set
                client = await stack.enter_async_context(_client(self._server, self._errors, ended))
                tools = await _listed(client)
            while True:
                self._client = client
                self._up.set()
                self._stands(Standing(tools, ""))
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_EVERY_S):
                        await self._doubt.wait()
                self._doubt.clear()
                async with asyncio.timeout(CHECK_WITHIN_S):
                    tools = await _listed(client)

    def _stands(self, standing: Standing) -> None:
        if standing != self._standing:
            self._standing = standing
            self._tell(standing)


@asynccontextmanager
async def _client(
    server: McpServer, errors: TextIO | None, ended: Callable[[], None]
) -> AsyncIterator[Client]:
    """A client that is connected; `ended` is called if its program ends."""
    async with AsyncExitStack() as stack:
        transport: AbstractAsyncContextManager[TransportStreams]
        if server.command:
            transport = program(server, errors, ended)
        else:
            http = httpx2.AsyncClient(
                transport=_Pinned(server),
                headers=dict(server.headers),
                timeout=httpx2.Timeout(CHECK_WITHIN_S, connect=CONNECT_WITHIN_S, read=None),
                trust_env=False,
            )
            await stack.enter_async_context(http)
            transport = streamable_http_client(server.url, http_client=http)
        yield await stack.enter_async_context(Client(transport, cache=None))


class _Pinned(httpx2.AsyncBaseTransport):
    """Connects to an address that was looked at first, as HTTP tools do."""

    def __init__(self, server: McpServer) -> None:
        self._allow_private = server.allow_private
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await address_of(url.host, port, allow_private=self._allow_private)
        pinned = httpx2.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        response = await self._inner.handle_async_request(pinned)
        if "json" in response.headers.get("content-type", ""):  # events have the client's own limit
            response.stream = _Bounded(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer, up to `MOST_BYTES`."""

    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)  # noqa: S101 - of an async transport
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._stream:
            length += len(chunk)
            if length > MOST_BYTES:
                raise httpx2.ReadError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _listed(client: Client) -> dict[str, Listed]:
    """All tools that can be declared."""
    found: dict[str, Listed] = {}
    cursor = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            try:
                parameters = parameters_of(tool.input_schema)
            except NotDeclarable as error:
                found[tool.name] = Listed("", "", str(error))
            else:
                description = (tool.description or tool.title or "")[:MAX_DESCRIPTION_CHARS]
                found[tool.name] = Listed(description, parameters)
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _outcome(result: types.CallToolResult) -> Outcome:
    value: object = result.structured_content
    if value is None:
        texts = [each.text for each in result.content if isinstance(each, types.TextContent)]
        value = "\n".join(texts)
        if len(texts) == 1:
            with suppress(ValueError):
                value = json.loads(texts[0])
    outcome = outcome_of(value)
    if result.is_error:
        return Outcome(Status.ERROR, outcome.data, hint=FAILED)
    return outcome


def reason_of(error: BaseException) -> str:
    """Why a server cannot be used, without its words."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case NotAllowed():
            return "its host is in a private network; allow_private = true allows that"
        case TimeoutError():
            return "it did not answer in time"
        case MCPError() if error.code == types.CONNECTION_CLOSED:
            return "it ended, or closed the connection"
        case MCPError():
            return f"it answered with the MCP error {error.code}"
        case FileNotFoundError() | PermissionError():
            return f"its program cannot be started: {error.strerror}"
        case _:
            return type(error).__name__
