"""One call as Twilio runs it: the webhook, each verb of the document, and the end.

sockets, callbacks   of `streams` and `status_callbacks`
"""

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from telephony.audio.formats import FRAME_MS
from telephony.simulator import twiml
from telephony.simulator.clock import Clock
from telephony.simulator.conference import Conferences
from telephony.simulator.conferring import Conferring
from telephony.simulator.dial import Dial
from telephony.simulator.dials import Dials
from telephony.simulator.director import Director
from telephony.simulator.documents import Documents
from telephony.simulator.elements import Request
from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.hearing import Air, Hearing
from telephony.simulator.identity import Identity
from telephony.simulator.line import Line
from telephony.simulator.off_line import OffLine, Passed
from telephony.simulator.prompts import Prompts
from telephony.simulator.report import (
    CallEnded,
    CallEvent,
)
from telephony.simulator.status_callbacks import StatusCallbacks
from telephony.simulator.stream import End, StreamRefusedError
from telephony.simulator.streams import Streams
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.workers import Workers

SAY_MS_PER_CHARACTER = 65
"""How long Twilio's voices take for a character, about."""
ACTION_AFTER_MOVE_MS, MOVE_MS = 320, 651
"""When a call in a Dial is redirected: the time until its action, and until the new document."""


def say_ms(text: str) -> int:
    """How long Twilio takes to say this."""
    return SAY_MS_PER_CHARACTER * len(text)


APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."


class CallFlow:
    """Runs one call, once, with `run`. The attributes hold its results.

    Args:
        identity: The caller, the called number and the account.
        director: The caller.
        webhooks: Sends webhooks to workers.
        workers: The workers for streams.
        rng: The random numbers for all choices.
        faults: The switches of this Twilio.
        clock: The call's clock.
        tell: Called with each event.
        group: The TaskGroup for callbacks and zombie sockets.
        conferences: The conferences of the account.
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
        conferences: Conferences,
    ) -> None:
        self.problems: list[str] = []
        self.ended_by = ""
        self.ended_ms = 0
        self._id, self._director = identity, director
        self._rng, self._faults, self._clock, self._tell = rng, faults, clock, tell
        fallback = identity.number.fallback if faults.fallback else None
        self._documents = Documents(webhooks, fallback, self.problems.append)
        self._callbacks = StatusCallbacks(identity, self._documents, clock, faults, rng, group)
        self._final_status = "completed"
        self._off_line = OffLine(director, clock, tell, voices=faults.audible_say)
        self._prompts = Prompts(self._live, self._off_line, clock.now_ms, say_ms, tell)
        conferring = Conferring(
            identity=identity,
            conferences=conferences,
            documents=self._documents,
            callbacks=self._callbacks,
            live=self._live,
            clock=clock,
            say_ms=say_ms,
            group=group,
        )
        self._dials = Dials(
            identity,
            conferring,
            self._live,
            faults,
            clock,
            tell,
            self.problems.append,
            self._callbacks.report,
        )
        self._streams = Streams(
            identity=identity,
            director=director,
            off_line=self._off_line,
            workers=workers,
            callbacks=self._callbacks,
            rng=rng,
            faults=faults,
            clock=clock,
            tell=tell,
            group=group,
        )
        self._verbs: deque[twiml.Verb] = deque()
        self._moved_to: Request | str | None = None
        self._told_to_end = False
        self._rings = identity.outbound

    @property
    def lines(self) -> Sequence[Line]:
        """The streams so far."""
        return self._streams.lines

    @property
    def announced(self) -> Sequence[str]:
        """The texts that Twilio's voice has said."""
        return self._prompts.announced

    @property
    def dialled(self) -> Sequence[str]:
        """Whom the documents have dialled."""
        return self._dials.dialled

    @property
    def hearing(self) -> Hearing:
        """What the caller heard outside of streams."""
        return self._off_line.hearing

    @property
    def status(self) -> str:
        """Twilio's status of the call now."""
        if self.over:
            return self._final_status
        return "ringing" if self._rings else "in-progress"

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return bool(self.ended_by)

    def redirect(self, request: Request) -> None:
        """Interrupt the call, and request a new document, as the REST API asked."""
        self._moved_to = request

    def run_document(self, document: str) -> None:
        """Interrupt the call, and continue with this document, as the REST API asked."""
        self._moved_to = document

    def end(self) -> None:
        """Interrupt the call, and hang up, as the REST API asked."""
        self._told_to_end = True

    def cancel(self) -> None:
        """End the call if nobody has answered it yet, as the REST API asked."""
        self._told_to_end = self._told_to_end or self._rings

    async def run(self) -> None:
        """Run the call from the first webhook to the last status callback."""
        try:
            await self._begin()
            while not self.over:
                if self._told_to_end:
                    self.ended_by = "rest"
                elif self._moved_to is not None:
                    await self._move(self._moved_to)
                else:
                    await self._next_verb()
        finally:
            self._streams.close()
        self.ended_ms = self._clock.now_ms()
        self._tell(CallEnded(self.ended_ms, self.ended_by))
        if self._director.problem is not None:
            self.problems.append(self._director.problem)
        await self._callbacks.ended(self._final_status, self.ended_ms)

    async def _begin(self) -> None:
        """Ring, and request the first document; for a call placed by REST, once it is answered."""
        if self._id.outbound and not await self._answered():
            return
        status = "in-progress" if self._id.outbound else "ringing"
        extra: dict[str, str] = {}
        if self._id.answered_by is not None:
            self._callbacks.detected(self._id.answered_by)
        elif self._id.waits_for_machine:
            await self._live(self._faults.answered_by_ms)
            extra = self._callbacks.answered_by()
        token = secrets.token_hex(16)
        for _ in range(1 + self._faults.webhook_twice):
            await self._fetch(self._id.number.voice, extra, status=status, token=token)

    async def _answered(self) -> bool:
        """Let a call that was placed by REST ring. Returns whether somebody answers it."""
        for event in ("initiated", "ringing"):
            self._callbacks.progress(event)
        pickup, limit_ms = self._faults.pickup, self._id.ring_limit_ms
        ring_ms = limit_ms if pickup == "no-answer" else self._faults.ring_ms
        until_ms = self._clock.now_ms() + min(ring_ms, limit_ms)
        never = asyncio.Event()
        while (now_ms := self._clock.now_ms()) < until_ms and not self._told_to_end:
            await self._clock.wait(never, min(now_ms + FRAME_MS, until_ms))
        if self._told_to_end:
            self._final_status, self.ended_by = self._faults.ended_ringing, "canceled"
            return False
        if pickup == "answers" and ring_ms > limit_ms:
            pickup = "no-answer"
        if pickup == "answers":
            self._rings = False
            self._callbacks.progress("answered")
            return True
        self._final_status = self.ended_by = pickup
        return False

    async def _move(self, target: Request | str) -> None:
        self._moved_to = None
        if isinstance(target, Request):
            await self._fetch(target, {})
        else:
            self._go_on_with(self._documents.read(target, self._id.number.voice.url))

    async def _next_verb(self) -> None:
        if not self._verbs:
            self.ended_by = "document"
            return
        match self._verbs.popleft():
            case twiml.Connect() as verb:
                await self._connect(verb)
            case twiml.Say() | twiml.Play() | twiml.Pause() as verb:
                await self._prompts.utter(verb)
            case twiml.Gather() as verb:
                await self._gather(verb)
            case twiml.Redirect(request):
                if not self._faults.redirect_overrides:
                    request = replace(request, url=request.url.partition("#")[0])
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

    async def _gather(self, verb: twiml.Gather) -> None:
        """Wait for keys, and ask the action with them."""
        entered = await self._prompts.gather(verb)
        if self._goes_on and (entered.digits or verb.on_nothing):
            await self._fetch(verb.action, entered.params())

    async def _dial(self, verb: Dial) -> None:
        """Call the nouns of a Dial. Afterwards the call continues with its action, if any."""
        about = await self._dials.run(verb)
        if about is None:
            self._go_on_with(None)
        else:
            await self._act_after(verb, about)

    async def _act_after(self, verb: Dial, about: dict[str, str]) -> None:
        """Request the action of a Dial that is over, if it has one."""
        if verb.action is None:
            return
        if self.over or self._told_to_end:
            if self._faults.dial_action_after_end:
                await self._documents.tell(verb.action, self._id.params("completed") | about)
            return
        if self._moved_to is None:
            await self._fetch(verb.action, about)
        else:  # the action is still requested, but its answer does not count
            await asyncio.sleep(ACTION_AFTER_MOVE_MS / 1000)
            await self._documents.tell(verb.action, self._id.params("in-progress") | about)
            await asyncio.sleep((MOVE_MS - ACTION_AFTER_MOVE_MS) / 1000)

    async def _fetch(
        self,
        request: Request,
        extra: Mapping[str, str],
        *,
        status: str = "in-progress",
        token: str = "",
    ) -> None:
        """Request a document, which replaces the running one."""
        verbs = await self._documents.ask(request, self._id.params(status), extra, token)
        self._go_on_with(verbs)

    def _go_on_with(self, verbs: Sequence[twiml.Verb] | None) -> None:
        if verbs is None:
            self._prompts.announce(APPLICATION_ERROR)
            self.ended_by = "application-error"
        else:
            self._verbs = deque(verbs)

    async def _live(self, duration_ms: int, *, keys: str = "", air: Air | None = None) -> Passed:
        """Let time pass without a stream."""
        passed = await self._off_line.live(
            duration_ms, lambda: self._interrupted, keys=keys, air=air
        )
        if passed is Passed.HUNG_UP:
            self.ended_by = "caller"
        return passed

    @property
    def _goes_on(self) -> bool:
        """Whether the running document is still the call's."""
        return not self.over and not self._interrupted

    @property
    def _interrupted(self) -> bool:
        """Whether the REST API has redirected or ended the call."""
        return self._moved_to is not None or self._told_to_end

    def _leaves(self, line: Line) -> bool:
        """Whether a stream must end now because the REST API said so."""
        waits = self._faults.update_drains and bool(line.playout.queued_bytes)
        return self._told_to_end or (self._moved_to is not None and not waits)

    async def _connect(self, verb: twiml.Connect) -> None:
        delay_ms = self._faults.reconnect_ms if self.lines else self._faults.connect_ms
        await self._live(self._rng.randint(*delay_ms))
        if not self._goes_on:
            return
        try:
            end = await self._streams.run(verb.stream, self._leaves, self._tell_end)
        except StreamRefusedError as refused:
            self.problems.append(str(refused))
        else:
            if end.end is End.HANG_UP:
                self.ended_by = "caller"
            if end.end in {End.BROKEN, End.CUT}:
                await self._after_loss()
        if verb.action is not None and self._goes_on:
            await self._fetch(verb.action, {})

    async def _tell_end(self) -> None:
        """Report that the call is over, if that comes before the socket's end."""
        self.ended_ms = self._clock.now_ms()
        await self._callbacks.ended(self._final_status, self.ended_ms)

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
