"""Twilio's half of a browser's calls, beside the stream: webhooks, documents, status callbacks.

The page is the telephone and the stream; this asks the server for documents, signed as Twilio
signs, and tells the page what to do by them:

    place ──▶ Instruction ──▶ the page does it ──▶ go_on(Outcome) ──▶ Instruction …  until "end"

requests        of the `httpx.AsyncClient` that the calling code closes
calls           the newest `KEPT_CALLS`; an older one that still runs is hung up
"""

import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

import httpx

from telephony.simulator import twiml
from telephony.simulator.call_flow import APPLICATION_ERROR, say_ms
from telephony.simulator.clock import Clock
from telephony.simulator.dial import Dial
from telephony.simulator.documents import Documents
from telephony.simulator.elements import Request
from telephony.simulator.identity import Identity
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.workers import Workers

KEPT_CALLS = 8
"""Calls that are remembered at once: a page for each."""

type Answer = Literal["completed", "busy", "no-answer"]
"""How a transfer ended, as Twilio calls it."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the page is to do next.

    Args:
        do: ``stream``: open the stream, until it ends. ``say``: show the words for a while.
            ``gather``: wait for keys. ``dial``: ask the person how the transfer ends. ``end``: the
            call is over.
        words: What is said or played, or why the call is over.
        ms: How long; of ``gather``, how long it waits for a key behind the words.
        keys: Of ``gather``, how many end it; 0 for any number.
        finish: Of ``gather``, the key that ends it.
        to: Of ``dial``, who is called.
        stream: Of ``stream``, what its `start` says: `streamSid`, `callSid`, `accountSid` and
            `parameters`, with the one-time token among them.
    """

    do: Literal["stream", "say", "gather", "dial", "end"]
    words: str = ""
    ms: int = 0
    keys: int = 0
    finish: str = ""
    to: tuple[str, ...] = ()
    stream: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How that went.

    Args:
        broken: Of a stream, that its socket was lost; else it was closed.
        digits: Of a gather, the keys.
        answer: Of a dial.
    """

    broken: bool = False
    digits: str = ""
    answer: Answer = "completed"


class BrowserCall:
    """One call of a page. Call `begin` first, then `go_on` after each instruction.

    Args:
        identity: The parties, and what signs.
        documents: Sends the requests.
        problems: Where `documents` puts what went wrong.
    """

    def __init__(self, identity: Identity, documents: Documents, problems: list[str]) -> None:
        self.over = False
        self._id, self._documents, self._problems = identity, documents, problems
        self._clock = Clock()
        self._verbs: deque[twiml.Verb] = deque()
        self._doing: twiml.Verb | None = None
        self._stream_sid = ""

    @property
    def call_sid(self) -> str:
        """CA and 32 hex digits."""
        return self._id.call_sid

    async def begin(self) -> Instruction:
        """Ring, and do as the first document says."""
        await self._fetch(self._id.number.voice, {}, status="ringing")
        return await self._next()

    async def go_on(self, outcome: Outcome) -> Instruction:
        """Tell how the last instruction went, and get the next one."""
        match self._doing:
            case twiml.Connect() as verb:
                await self._stream_over(verb, broken=outcome.broken)
            case twiml.Gather() as verb if outcome.digits or verb.on_nothing:
                await self._fetch(verb.action, {"Digits": outcome.digits})
            case Dial() as verb:
                await self._dialled(verb, outcome.answer)
            case _:
                pass
        return await self._next()

    async def hang_up(self) -> None:
        """End the call; twice does no harm."""
        if self.over:
            return
        self.over = True
        duration_s = -(-self._clock.now_ms() // 1000)
        if self._id.number.status is not None:
            params = self._id.params("completed") | {"CallDuration": str(duration_s)}
            await self._documents.tell(self._id.number.status, params)

    async def _next(self) -> Instruction:
        """Follow the document to the next verb that needs the page."""
        while self._verbs and not self.over:
            verb = self._doing = self._verbs.popleft()
            match verb:
                case twiml.Connect():
                    return await self._stream(verb)
                case twiml.Say() | twiml.Play() | twiml.Pause():
                    words, ms = _spoken(verb)
                    return Instruction("say", words, ms)
                case twiml.Gather():
                    spoken = [_spoken(each) for each in verb.prompts]
                    words = " ".join(each for each, _ in spoken if each)
                    ms = sum(each for _, each in spoken) + verb.timeout_ms
                    return Instruction("gather", words, ms, verb.keys, verb.finish)
                case Dial():
                    return Instruction("dial", to=tuple(noun.address for noun in verb.nouns))
                case twiml.Redirect(request):
                    await self._fetch(request, {})
                case twiml.Hangup() | twiml.Reject():
                    break
                case never:
                    assert_never(never)
        failed = self._problems[-1] if self._problems else ""
        await self.hang_up()
        return Instruction("end", failed)

    async def _stream(self, verb: twiml.Connect) -> Instruction:
        self._stream_sid = f"MZ{secrets.token_hex(16)}"
        await self._tell_of_stream(verb, "stream-started")
        about = {
            "streamSid": self._stream_sid,
            "callSid": self._id.call_sid,
            "accountSid": self._id.account_sid,
            "parameters": verb.stream.parameters,
        }
        return Instruction("stream", stream=about)

    async def _stream_over(self, verb: twiml.Connect, *, broken: bool) -> None:
        if broken:
            await self._tell_of_stream(verb, "stream-error", "31903 connection broken")
        else:
            await self._tell_of_stream(verb, "stream-stopped")
        if verb.action is not None:
            await self._fetch(verb.action, {})

    async def _tell_of_stream(self, verb: twiml.Connect, event: str, error: str = "") -> None:
        if verb.stream.status_callback is None:
            return
        params = self._id.stream_params(verb.stream, self._stream_sid, event)
        params["Timestamp"] = f"{self._clock.now_utc():%Y-%m-%dT%H:%M:%S.%f}000Z"
        if error:
            params["StreamError"] = error
        await self._documents.tell(verb.stream.status_callback, params)

    async def _dialled(self, verb: Dial, answer: Answer) -> None:
        if verb.action is not None:
            about = {"DialCallStatus": answer, "DialCallSid": f"CA{secrets.token_hex(16)}"}
            await self._fetch(verb.action, about)

    async def _fetch(
        self, request: Request, extra: Mapping[str, str], *, status: str = "in-progress"
    ) -> None:
        verbs = await self._documents.ask(request, self._id.params(status), extra)
        self._verbs = deque((twiml.Say(APPLICATION_ERROR),) if verbs is None else verbs)


class Exchange:
    """Places the calls of all pages.

    Args:
        client: For the webhooks; the calling code closes it.
        url: The server's own URL, where the webhooks go.
        public_url: The https address that is signed.
        account_sid: The account of the calls.
        auth_token: The token that signs.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        public_url: str,
        account_sid: str,
        auth_token: str,
    ) -> None:
        self._client, self._url, self._public_url = client, url, public_url
        self._account_sid, self._auth_token = account_sid, auth_token
        self._calls: OrderedDict[str, BrowserCall] = OrderedDict()

    async def place(self) -> tuple[BrowserCall, Instruction]:
        """Place a call. Returns it, and what the page is to do first."""
        while len(self._calls) >= KEPT_CALLS:
            _, oldest = self._calls.popitem(last=False)
            await oldest.hang_up()
        problems: list[str] = []
        identity = Identity(
            f"CA{secrets.token_hex(16)}", self._account_sid, self._auth_token, self._public_url
        )
        webhooks = Webhooks(
            self._client, Workers([self._url]), self._auth_token, Clock(), lambda _answered: None
        )
        documents = Documents(webhooks, identity.number.fallback, problems.append)
        call = BrowserCall(identity, documents, problems)
        self._calls[call.call_sid] = call
        return call, await call.begin()

    def call(self, call_sid: str) -> BrowserCall | None:
        """A call that was placed here."""
        return self._calls.get(call_sid)


def _spoken(verb: twiml.Say | twiml.Play | twiml.Pause) -> tuple[str, int]:
    """The words to show for a verb, and how long it takes."""
    match verb:
        case twiml.Say(text, loop):
            return text, say_ms(text) * max(1, loop)
        case twiml.Play(url, digits, _):
            return (f"[keys {digits}]", 200 * len(digits)) if digits else (f"[plays {url}]", 1000)
        case twiml.Pause(length_ms):
            return "", length_ms
        case never:
            assert_never(never)


def instruction_json(call: BrowserCall, instruction: Instruction) -> dict[str, object]:
    """An instruction as the page reads it."""
    named: Sequence[str] = ("do", "words", "ms", "keys", "finish", "to", "stream")
    return {"callSid": call.call_sid} | {name: getattr(instruction, name) for name in named}
