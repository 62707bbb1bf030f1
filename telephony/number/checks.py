"""The doctor's checks: everything that must work for a call to be answered.

settings    all required settings are there, and can be used
personas    the persona files have no mistake
MCP servers that the personas name are up, and have the tools that are used
transfers   those with warm = true have the account that calls their targets
model       Gemini Live accepts the key and knows the model
redis       the Redis server does everything that a call needs
server      `offhook serve` runs on this machine, with the same auth token
public URL  leads to that very process
signature   a webhook that is signed as Twilio signs it is accepted at the public URL
account     Twilio's REST API accepts the account SID and the token
number      calls the public URL
clock       agrees with Twilio's clock

HTTP client   acquired: `Checkup.settings`; released: `Checkup.__aexit__`
"""

import asyncio
import secrets
import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Self

import certifi
import httpx

from agent.conversation.commands import OpenModel
from agent.conversation.events import ModelEvent, SessionReady, SessionRefused
from agent.conversation.persona import DEFAULT_PERSONA
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import GeminiLive
from agent.persona.agents import Agents
from agent.store.base import StoreAway
from agent.store.folder import StoreFolder
from agent.store.redis import RedisStore
from agent.store.rehearsal import rehearse
from telephony.hints import HINTS
from telephony.number.account import Account
from telephony.number.agents import ask_servers, read_agents
from telephony.number.findings import Check, NotNow, Unwell
from telephony.number.reach import identity, local_url, post_signed
from telephony.number.webhooks import is_linked, is_outdated
from telephony.server.admission import TOKEN_LIFE_S
from telephony.server.worker import gemini_live
from telephony.settings import Settings, load

HTTP_TIMEOUT_S = 5.0
REDIS_TIMEOUT_S = 10.0
REDIS_TTL_S = 60

ATTEMPTS = 5
"""How often to ask at the public URL, where a load balancer may choose another worker each time."""


class Checkup:
    """The checks of one installation; use with ``async with``.

    Args:
        phone_number: The number in E.164, or None for any number of the account.
        overrides: As for `telephony.settings.load`.
    """

    _settings: Settings
    _agents: Agents
    _http: httpx.AsyncClient

    def __init__(self, phone_number: str | None = None, **overrides: Any) -> None:
        self._phone_number, self._overrides = phone_number, overrides
        self._held = AsyncExitStack()
        self._instance = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()

    def checks(self) -> list[Check]:
        """All checks, in the order in which they run."""
        return [
            Check("settings", (), self.settings),
            Check("personas", ("settings",), self.personas),
            Check("MCP servers", ("personas",), self.mcp_servers),
            Check("transfers", ("personas",), self.transfers),
            Check("model", ("settings",), self.model),
            Check("redis", ("settings",), self.redis),
            Check("server", ("settings",), self.server),
            Check("public URL", ("server",), self.public_url),
            Check("signature", ("public URL",), self.signature),
            Check("account", ("settings",), self.account),
            Check("number", ("account",), self.number),
            Check("clock", ("account",), self.clock),
        ]

    async def settings(self) -> str:
        """Read the environment."""
        self._settings = load(**self._overrides)
        ca_file = self._settings.ssl_cert_file or certifi.where()
        try:
            trust = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise Unwell(f"SSL_CERT_FILE: {error}", "give a PEM file of certificates") from None
        # Without keep-alive, so that each request may reach another worker
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = await self._held.enter_async_context(
            httpx.AsyncClient(
                verify=trust,
                timeout=HTTP_TIMEOUT_S,
                limits=limits,
                mounts={"http://": None},  # requests to this machine's server use no proxy
            )
        )
        return "all required settings are there"

    async def personas(self) -> str:
        """Read the agents' files."""
        self._agents = await read_agents(self._settings.personas)
        return ", ".join(agent.persona.name for agent in self._agents)

    async def mcp_servers(self) -> str:
        """Ask the MCP servers of the agents for their tools."""
        return await ask_servers(self._agents)

    async def transfers(self) -> str:
        """Check that those to whom callers are put through can be called, if they are told first.

        Whether the account and its token are accepted is the check of the account.
        """
        warm = [
            f"{name} of {agent.persona.name}"
            for agent in self._agents
            for name, target in sorted(agent.transfers.items())
            if target.warm
        ]
        if not warm:
            return "none has warm = true"
        if self._settings.twilio_account_sid is None:
            raise Unwell(
                "TWILIO_ACCOUNT_SID is not set, and transfers with warm = true need it: nobody is "
                f"called for {', '.join(warm)}",
                HINTS["TWILIO_ACCOUNT_SID"],
            )
        return f"the account calls {', '.join(warm)}"

    async def model(self) -> str:
        """Open a Live session of each model, without sending anything."""
        try:
            live = gemini_live(self._settings)
        except ValueError as error:
            raise Unwell(str(error), "correct the setting that it names") from None
        try:
            listen = [await _listens(live, self._settings.gemini_model)]
            if (fallback := self._settings.gemini_fallback_model) is not None:
                listen.append(await _listens(live, fallback, fallback=True))
        finally:
            await live.aclose()
        return "; ".join(listen)

    async def redis(self) -> str:
        """Do everything in the store that a call does."""
        url, own = self._settings.redis_url, StoreFolder(self._settings.store_dir)
        if not url and not own.socket.exists():
            raise NotNow(f"REDIS_URL is not set, and no `offhook serve` keeps calls in {own.path}")
        store = RedisStore.from_url(url or own.url, ttl_s=REDIS_TTL_S)
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                await rehearse(store, f"doctor-{secrets.token_hex(8)}")
        except TimeoutError:
            raise Unwell(
                "Redis does not answer in time", "check REDIS_URL, and whether Redis runs"
            ) from None
        except StoreAway as away:
            fix = _redis_fix(away.why) if url else f"start `offhook serve`; it uses {own.path}"
            raise Unwell(str(away), fix) from None
        finally:
            await store.aclose()
        return "does everything that a call needs" + ("" if url else f", in {own.path}")

    async def server(self) -> str:
        """Ask the server on this machine for its identity."""
        fix = "start `offhook serve`, or set HOST and PORT to where it listens"
        url = local_url(self._settings)
        self._instance = await identity(self._http, url, self._settings, fix)
        return f"answers at {url}"

    async def public_url(self) -> str:
        """Check that the public URL leads to the same process."""
        url, here = self._settings.public_url, local_url(self._settings)
        fix = f"have the proxy or tunnel of {url} pass everything to {here}"
        for _ in range(ATTEMPTS):
            if await identity(self._http, url, self._settings, fix) == self._instance:
                return f"{url} leads to this server"
        raise Unwell(
            f"{url} leads to another server with the same auth token, {ATTEMPTS} times in a row",
            f"point the proxy or tunnel to {here}, or stop that other server",
        )

    async def signature(self) -> str:
        """Post a webhook as Twilio would, with Twilio's signature."""
        await post_signed(self._http, self._settings)
        return "a signed webhook is accepted"

    async def account(self) -> str:
        """Ask Twilio for the account's status."""
        if self._settings.twilio_account_sid is None:
            raise Unwell("TWILIO_ACCOUNT_SID is not set", HINTS["TWILIO_ACCOUNT_SID"])
        status = await asyncio.to_thread(Account(self._settings).status)
        if status != "active":
            raise Unwell(
                f"expected an active account, got one that is {status}", "ask Twilio for the reason"
            )
        return "is active"

    async def number(self) -> str:
        """Look for a number that calls us."""
        account, url = Account(self._settings), self._settings.public_url
        if self._phone_number is None:
            numbers = await asyncio.to_thread(account.numbers)
        else:
            numbers = [await asyncio.to_thread(account.number, self._phone_number)]
        linked = [number for number in numbers if is_linked(number, url)]
        reached = [number for number in linked if not number.shadow]
        if reached:
            outdated = [one.phone_number for one in reached if is_outdated(one, url)]
            numbers_reached = ", ".join(one.phone_number for one in reached)
            if not outdated:
                return f"{numbers_reached} calls {url}"
            again = f"link {', '.join(outdated)} again, so that Twilio repeats requests that fail"
            return f"{numbers_reached} calls {url}; {again}"
        if linked:
            [number, *_] = linked
            raise Unwell(
                f"the {number.shadow} of {number.phone_number} answers instead of {url}",
                f"offhook number link {number.phone_number} --force",
            )
        which = self._phone_number or f"none of the account's {len(numbers)} numbers"
        raise Unwell(
            f"{which} calls {url}"
            if self._phone_number is None
            else f"{which} does not call {url}",
            f"offhook number link {self._phone_number or '+…'}",
        )

    async def clock(self) -> str:
        """Compare this machine's clock with the Date header of Twilio's answer."""
        account = Account(self._settings)
        await asyncio.to_thread(account.status)
        now = datetime.now(UTC)  # noqa: TID251 - the edge: this clock is what is examined
        if account.date is None:
            raise NotNow("Twilio's answer has no Date header")
        ahead_s = round((now - account.date).total_seconds())
        if abs(ahead_s) >= TOKEN_LIFE_S:
            side = "ahead of" if ahead_s > 0 else "behind"
            raise Unwell(
                f"this machine's clock is {abs(ahead_s)} s {side} Twilio's, and a stream's token "
                f"lives {TOKEN_LIFE_S} s",
                "synchronise the clock with NTP",
            )
        return f"within {abs(ahead_s) + 1} s of Twilio's"


async def _listens(live: GeminiLive, name: str, *, fallback: bool = False) -> str:
    first: asyncio.Future[ModelEvent] = asyncio.get_running_loop().create_future()

    def feed(event: ModelEvent) -> None:
        if not first.done():
            first.set_result(event)

    async with asyncio.TaskGroup() as tasks:
        command = OpenModel(1, DEFAULT_PERSONA, fallback=fallback)
        session = tasks.create_task(live.run(command, ModelOutbox(), feed), name="model")
        answer = await first
        session.cancel()
    match answer:
        case SessionReady():
            return f"{name} listens"
        case SessionRefused(code=code, reason=reason):
            setting = "GEMINI_FALLBACK_MODEL" if fallback else "GEMINI_MODEL"
            fix = _model_fix(429 if answer.over_quota else code, setting)
            raise Unwell(f"{name} refused a session: {code} {reason}".strip(), fix)
        case _:
            raise Unwell(f"{name} did not begin a session", "try again")


def _model_fix(code: int, setting: str) -> str:
    match code:
        case 0:
            return "check the network, GOOGLE_GEMINI_BASE_URL and SSL_CERT_FILE"
        case 429:
            return "wait, or ask Google for more quota"
        case status if 500 <= status < 600 or status == 1011:
            return "Gemini has a problem; try again later"
        case _:
            return f"check GEMINI_API_KEY, and that it may use {setting}"


def _redis_fix(why: str) -> str:
    match why:
        case "unreachable" | "timeout":
            return "start Redis, or correct REDIS_URL"
        case "not authenticated":
            return "put the user name and password into REDIS_URL"
        case "not permitted" | "refused":
            return "allow the Redis user all commands on keys and channels that begin with offhook:"
        case _:
            return "see Redis' log"
