"""One call as Twilio runs it: the webhook, the document verb by verb, the streams, the end.

socket           per stream; closed, or broken off, where the stream ends
callbacks        of `status_callbacks`
zombie sockets   tasks of the same group; broken off when the call is over
"""

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import assert_never

from telephony.audio.formats import FRAME_MS, PHONE_SAMPLES_PER_MS
from telephony.simulator import stream, twiml
from telephony.simulator.clock import Clock
from telephony.simulator.dial import BAD_CALLER_ID, Dial
from telephony.simulator.director import Director, Press
from telephony.simulator.documents import Documents
from telephony.simulator.elements import Request
from telephony.simulator.faults import AfterLoss, Callbacks, CallFaults, UpgradeSignature
from telephony.simulator.identity import Identity
from telephony.simulator.line import Line
from telephony.simulator.report import (
    Announced,
    CallEnded,
    CallerSpoke,
    CallEvent,
    Dialled,
    KeyPressed,
    StreamClosed,
    StreamOpened,
)
from telephony.simulator.script import Cut, HangUp, Utterance
from telephony.simulator.status_callbacks import StatusCallbacks
from telephony.simulator.stream import End, StreamEnd
from telephony.simulator.webhooks import Webhooks, signature
from telephony.simulator.workers import Workers

SAY_MS_PER_CHARACTER = 65
"""About what Twilio's voices take."""
ENDLESS = 1000
"""How often a Say is said that is to be repeated until the caller hangs up."""
KEY_TONE_MS = 200
WAIT_MS = {"w": 500, "W": 1000}
"""How long the pauses among the keys of a Play are."""
PLAY_MS = 1_000
"""How long any file of a Play is taken to be."""

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."


class CallFlow:
    """Runs one call, once: `run`. The attributes tell how it went.

    Args:
        identity: Whose call it is.
        director: The caller.
        webhooks: How workers are asked.
        workers: Where streams lead.
        rng: Where all chance comes from.
        faults: How well this Twilio behaves.
        clock: The call's.
        tell: Is told each event.
        group: Where callbacks and zombie sockets live on.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        director: Director,
        webhooks: Webhooks,
        workers: Workers,
        rng: random.Random,
        faults: CallFaults,
        clock: Clock,
        tell: Callable[[CallEvent], None],
        group: asyncio.TaskGroup,
    ) -> None:
        self.lines: list[Line] = []
        self.announced: list[str] = []
        self.dialled: list[str] = []
        self.problems: list[str] = []
        self.ended_by = ""
        self.ended_ms = 0
        self._id, self._director = identity, director
        self._workers = workers
        self._rng, self._faults, self._clock, self._tell = rng, faults, clock, tell
        self._group = group
        fallback = identity.number.fallback if faults.fallback else None
        self._documents = Documents(webhooks, fallback, self.problems.append)
        self._callbacks = StatusCallbacks(identity, self._documents, clock, faults, group)
        self._final_status = "completed"
        self._zombies: list[asyncio.Task[None]] = []
        self._verbs: deque[twiml.Verb] = deque()
        self._moved_to: Request | None = None
        self._unsaid = b""
        self._unsaid_since_ms = 0

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return bool(self.ended_by)

    def redirect(self, request: Request) -> None:
        """Leave whatever is going on, and go on with this document; as told by REST."""
        self._moved_to = request

    async def run(self) -> None:
        """From the first webhook to the last status callback."""
        try:
            await self._begin()
            while not self.over:
                if self._moved_to is not None:
                    request, self._moved_to = self._moved_to, None
                    await self._fetch(request, {})
                else:
                    await self._next_verb()
        finally:
            for zombie in self._zombies:
                zombie.cancel()
        self.ended_ms = self._clock.now_ms()
        self._tell(CallEnded(self.ended_ms, self.ended_by))
        if self._director.problem is not None:
            self.problems.append(self._director.problem)
        await self._callbacks.ended(self._final_status, self.ended_ms)

    async def _begin(self) -> None:
        """Ring, and ask for the first document: of a call placed by REST once it is answered."""
        for event in ("initiated", "ringing", "answered"):
            self._callbacks.progress(event)
        status = "in-progress" if self._id.outbound else "ringing"
        token = secrets.token_hex(16)
        for _ in range(1 + self._faults.webhook_twice):
            await self._fetch(self._id.number.voice, {}, status=status, token=token)

    async def _next_verb(self) -> None:
        if not self._verbs:
            self.ended_by = "document"
            return
        match self._verbs.popleft():
            case twiml.Connect() as verb:
                await self._connect(verb)
            case twiml.Say(text, loop):
                self.announced.append(text)
                self._tell(Announced(self._clock.now_ms(), text))
                await self._live(SAY_MS_PER_CHARACTER * len(text) * (loop or ENDLESS))
            case twiml.Play(digits=digits):
                await self._live(sum(WAIT_MS.get(key, KEY_TONE_MS) for key in digits) or PLAY_MS)
            case twiml.Pause(length_ms):
                await self._live(length_ms)
            case twiml.Redirect(request):
                await self._fetch(request, {})
            case Dial() as verb:
                await self._dial(verb)
            case twiml.Hangup():
                self.ended_by = "agent"
            case twiml.Reject(reason):
                self._final_status = "busy" if reason == "busy" else "failed"
                self.ended_by = "rejected"
            case never:
                assert_never(never)

    async def _dial(self, verb: Dial) -> None:
        """Call whom it names; then its action, if there is one, is what goes on."""
        faults = self._faults
        status, began_ms = faults.dial_status, self._clock.now_ms()
        allowed = frozenset({self._id.caller, self._id.called, *faults.verified_numbers})
        if fault := verb.caller_id_fault(self._id.calling, allowed):
            self.problems.append(f"{BAD_CALLER_ID}: {fault}")
            status = "failed"
        for noun in verb.nouns:
            self.dialled.append(noun.address)
            self._tell(Dialled(began_ms, noun.address, status))
        await self._live(faults.dial_ms, until_star=verb.hangup_on_star)
        if verb.action is not None and self._goes_on:
            await self._fetch(verb.action, self._dialled(status, began_ms))

    def _dialled(self, status: str, began_ms: int) -> dict[str, str]:
        """What is said of the call within the call when that is over."""
        bridged = status in {"completed", "answered"}
        about = {
            "DialCallStatus": status,
            "DialCallSid": f"CA{secrets.token_hex(16)}",
            "DialBridged": str(bridged).lower(),
        }
        if bridged:
            about["DialCallDuration"] = str(-(-(self._clock.now_ms() - began_ms) // 1000))
        return about

    async def _fetch(
        self,
        request: Request,
        extra: Mapping[str, str],
        *,
        status: str = "in-progress",
        token: str = "",
    ) -> None:
        """Ask for a document, which replaces the one that runs."""
        verbs = await self._documents.ask(request, self._id.params(status), extra, token)
        if verbs is None:
            self.announced.append(APPLICATION_ERROR)
            self._tell(Announced(self._clock.now_ms(), APPLICATION_ERROR))
            self.ended_by = "application-error"
        else:
            self._verbs = deque(verbs)

    async def _live(self, duration_ms: int, *, until_star: bool = False) -> None:
        """Let time pass without a stream. The caller goes on living, and may hang up. Keys are
        pressed in vain, but for a * that is waited for.
        """
        never = asyncio.Event()
        until_ms = self._clock.now_ms() + duration_ms
        while self._moved_to is None and (now_ms := self._clock.now_ms()) < until_ms:
            for action in self._director.step(now_ms):
                match action:
                    case Utterance():
                        self._keep_unsaid(self._still_unsaid(now_ms) + action.ulaw, now_ms)
                        told = CallerSpoke(now_ms, action.name, action.text, action.duration_ms)
                        self._tell(told)
                    case Press(digit):
                        self._tell(KeyPressed(now_ms, digit))
                        if until_star and digit == "*":
                            return
                    case HangUp():
                        self.ended_by = "caller"
                        return
                    case Cut():
                        pass  # there is no socket
            await self._clock.wait(never, min(now_ms + FRAME_MS, until_ms))

    @property
    def _goes_on(self) -> bool:
        """Whether the document that runs is still the call's."""
        return not self.over and self._moved_to is None

    def _keep_unsaid(self, ulaw: bytes, now_ms: int) -> None:
        self._unsaid, self._unsaid_since_ms = ulaw, now_ms

    def _still_unsaid(self, now_ms: int) -> bytes:
        """What is left of the caller's words, who talks on whether there is a line or not."""
        return self._unsaid[max(0, now_ms - self._unsaid_since_ms) * PHONE_SAMPLES_PER_MS :]

    async def _connect(self, verb: twiml.Connect) -> None:
        delay_ms = self._faults.reconnect_ms if self.lines else self._faults.connect_ms
        await self._live(self._rng.randint(*delay_ms))
        if not self._goes_on:
            return
        sid = f"MZ{secrets.token_hex(16)}"
        try:
            socket, worker = await stream.connect(
                verb.stream.url, self._workers, self._upgrade_headers(verb.stream.url)
            )
        except stream.StreamRefusedError as refused:
            self._tell(StreamClosed(self._clock.now_ms(), sid, str(refused.code)))
            self.problems.append(str(refused))
            await self._callbacks.stream(verb.stream, sid, "stream-error", str(refused))
        else:
            await self._stay(socket, worker, verb.stream, sid)
        if verb.action is not None and self._goes_on:
            await self._fetch(verb.action, {})

    def _upgrade_headers(self, url: str) -> dict[str, str]:
        signed = signature(self._id.auth_token, url, {})
        match self._faults.upgrade_signature:
            case UpgradeSignature.EXACT:
                pass
            case UpgradeSignature.TRAILING_SLASH:
                signed = signature(self._id.auth_token, url + "/", {})
            case UpgradeSignature.WRONG:
                signed = signature(self._id.auth_token + "?", url, {})
            case UpgradeSignature.ABSENT:
                return {}
            case never:
                assert_never(never)
        return {"x-twilio-signature": signed}

    async def _stay(
        self, socket: stream.TwilioSocket, worker: str, noun: twiml.Stream, sid: str
    ) -> None:
        end: StreamEnd | None = None
        try:
            end = await self._carry(socket, worker, noun, sid)
            await self._finish(end, socket, noun, sid)
        finally:
            if end is None or end.cut is not Cut.ZOMBIE:
                socket.break_off()

    async def _carry(
        self,
        socket: stream.TwilioSocket,
        worker: str,
        noun: twiml.Stream,
        sid: str,
    ) -> StreamEnd:
        line = Line(
            sid,
            self._id.call_sid,
            self._id.account_sid,
            noun.parameters,
            rng=self._rng,
            faults=self._faults.line,
        )
        self.lines.append(line)
        line.open(self._clock.now_ms())
        line.speak(self._still_unsaid(line.media_start_ms))
        self._tell(StreamOpened(self._clock.now_ms(), sid, worker))
        await self._callbacks.stream(noun, sid, "stream-started")
        end = await stream.carry(
            socket,
            line,
            self._director,
            self._clock,
            self._tell,
            moved=lambda: self._moved_to is not None,
            ending=lambda how: self._tell_first(noun, sid, how),
            linger_ms=self._faults.linger_ms,
        )
        now_ms = self._clock.now_ms()
        self._keep_unsaid(line.unsaid, now_ms)
        how = str(end.code) if end.end in {End.BROKEN, End.CUT} else end.end.value
        self._tell(StreamClosed(now_ms, sid, how))
        return end

    async def _tell_first(self, noun: twiml.Stream, sid: str, how: End) -> None:
        """What callbacks tell before the socket does, if so they do."""
        if self._faults.callbacks is not Callbacks.BEFORE:
            return
        await self._callbacks.stream(noun, sid, "stream-stopped")
        if how is End.HANG_UP:
            self.ended_ms = self._clock.now_ms()
            await self._callbacks.ended(self._final_status, self.ended_ms)

    async def _finish(
        self, end: StreamEnd, socket: stream.TwilioSocket, noun: twiml.Stream, sid: str
    ) -> None:
        """Release the socket, tell how the stream ended, and whether the call did."""
        match end.end:
            case End.HANG_UP | End.MOVED:
                if end.end is End.HANG_UP:
                    self.ended_by = "caller"
                if self._faults.callbacks is not Callbacks.BEFORE:
                    await self._callbacks.stream(noun, sid, "stream-stopped")
                await socket.close_without_code()
            case End.SERVER_CLOSED:
                error = "31921 stream closed by the server" if self._faults.close_is_error else ""
                await self._callbacks.stream(
                    noun, sid, "stream-error" if error else "stream-stopped", error
                )
                await socket.close_without_code()
            case End.BROKEN | End.CUT:
                await self._callbacks.stream(
                    noun, sid, "stream-error", f"{end.code} connection broken"
                )
                if end.cut is Cut.ZOMBIE:
                    self._zombies.append(self._group.create_task(self._haunt(socket)))
                elif end.cut is Cut.CLOSE:
                    await socket.close_without_code()
                await self._after_loss()
            case never:
                assert_never(never)

    async def _after_loss(self) -> None:
        match self._faults.after_loss:
            case AfterLoss.GOES_ON:
                pass
            case AfterLoss.ENDS:
                self.ended_by = "socket"
            case AfterLoss.WAITS:
                while self._goes_on:
                    await self._live(FRAME_MS)
            case never:
                assert_never(never)

    async def _haunt(self, socket: stream.TwilioSocket) -> None:
        socket.play_dead()
        try:
            await asyncio.sleep(self._faults.zombie_ms / 1000)
        finally:
            socket.break_off()
