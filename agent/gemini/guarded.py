"""Gemini Live behind a circuit breaker: while a model is down, its sessions are refused at once."""

from collections.abc import Callable

from agent.conversation.commands import OpenModel
from agent.conversation.events import ModelEvent
from agent.gemini.breaker import Breaker, Dial, State, refusal
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import Feed, GeminiLive


class GuardedLive:
    """Runs sessions as `GeminiLive` does, unless too many have failed lately.

    Args:
        live: Opens the sessions.
        now_ms: A monotonic clock.
        on_change: Called with each new state of a breaker, and whether it is the fallback's.
    """

    def __init__(
        self, live: GeminiLive, now_ms: Callable[[], int], on_change: Callable[[State, bool], None]
    ) -> None:
        self._live, self._now_ms, self._on_change = live, now_ms, on_change
        self._breakers = {False: Breaker(), True: Breaker()}
        self._told = {False: State.CLOSED, True: State.CLOSED}

    def state(self, *, fallback: bool = False) -> State:
        """The state of a model's breaker now."""
        state = self._breakers[fallback].state(self._now_ms())
        if state is not self._told[fallback]:
            self._told[fallback] = state
            self._on_change(state, fallback)
        return state

    async def run(self, command: OpenModel, outbox: ModelOutbox, feed: Feed) -> None:
        """Like `GeminiLive.run`; or gives one `SessionRefused` that says how long to wait."""
        breaker = self._breakers[command.fallback]
        dial = breaker.admit(self._now_ms(), resumes=bool(command.handle))
        self.state(fallback=command.fallback)
        if isinstance(dial, Dial):
            await self._run(dial, command, outbox, feed)
        else:
            feed(refusal(command.session, dial))

    async def _run(self, dial: Dial, command: OpenModel, outbox: ModelOutbox, feed: Feed) -> None:
        def watched(event: ModelEvent) -> None:
            dial.tell(event, self._now_ms())
            feed(event)

        try:
            await self._live.run(command, outbox, watched)
        finally:
            dial.leave(self._now_ms())
            self.state(fallback=command.fallback)
