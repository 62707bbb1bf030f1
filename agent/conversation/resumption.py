"""The next attempt to reach the model: which handle, how long to wait, when to give up.

The old socket is always closed first, because Gemini refuses a handle whose old socket is still
open (1011). A handle is tried at once. If it is refused, or if its session is lost before the model
spoke in it, a fresh session gets the transcript instead. Waits grow, with full jitter, so that a
thousand calls do not dial at the same moment. The fallback model (`choice`) is dialled without a
wait. How long the attempts go on depends on the problem: the rules `AWAY`, `QUOTA` and
`UNREACHABLE` are data.
"""

from dataclasses import dataclass
from random import Random

from agent.conversation.choice import Choice
from agent.conversation.commands import GiveUp, Impasse
from agent.conversation.events import SessionLost, SessionRefused

STABLE_AFTER_MS = 10_000
"""A session that lived this long was a success; losing it starts counting anew."""

HALVES = 3
"""So many sessions in a row may be lost in the middle of a reply, and continue it, before the next
such loss counts as a failure."""

FIRST_BACKOFF_MS = 250
MAX_BACKOFF_MS = 4_000

STILL_OPEN = 1011
"""What a handle gets whose old connection the server still holds; and much else."""

HANDLE_DEAD = frozenset({1007, 1008, STILL_OPEN, 400, 404})
"""The handle is unknown, expired or in use: a fresh session helps at once, a wait only perhaps."""

FATAL = frozenset({1007, 400, 401, 403, 404})
"""A fresh session was refused for what we sent (key, model, settings): asking again will not
help. Read off gemini_live: 1007 invalid argument, 401/403 key, 404 model."""

REFUSED = GiveUp(Impasse.MODEL_REFUSED)
"""How a call ends that met one of those."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one kind of trouble is put up with.

    Args:
        reason: The call's `ended_reason` when it does not end before.
        budget_ms: How long the caller may be kept waiting for it, from its first sign.
        attempts: How many attempts may meet it.
    """

    reason: Impasse
    budget_ms: int
    attempts: int


AWAY = Patience(Impasse.MODEL_UNAVAILABLE, 14_000, 100)
"""The service breaks off, or does not answer. The budget holds for all troubles together; a caller
is told of it within 15 s."""

QUOTA = Patience(Impasse.MODEL_QUOTA, 2_000, 3)
"""Too many sessions or requests: a caller is told sooner than somebody else hangs up."""

UNREACHABLE = Patience(Impasse.MODEL_UNREACHABLE, 3_500, 100)
"""No name, or no TLS: ours to mend, and a wait seldom does."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Open a session after `wait_ms`, resuming from `handle`, or fresh where it is empty; with
    `fallback`, of the second model.
    """

    handle: str
    wait_ms: int
    fallback: bool = False


@dataclass(slots=True)
class _Trouble:
    since_ms: int
    refusals: int = 0


class Resumption:
    """What is known about reaching the model, over all sessions of one conversation."""

    def __init__(self, random: Random, handle: str = "", choice: Choice | None = None) -> None:
        self.handle = handle
        self._choice = choice or Choice()
        self._random = random
        self._failures = 0
        self._halves = 0
        self._troubles: dict[Patience, _Trouble] = {}

    @property
    def fallback(self) -> bool:
        """Whether the second model is the one to ask, and `handle` one of its own."""
        return self._choice.fallback

    def handed_out(self, handle: str) -> None:
        """A handle from which the session can be resumed."""
        self.handle = handle

    def forget_handle(self) -> None:
        """What the handle gives is of no use."""
        self.handle = ""

    def first(self) -> Attempt:
        """The attempt with which a conversation opens."""
        return self._at_once()

    def renewed(self) -> Attempt:
        """A session that works is left, before the server ends it: no failure, and the end of all
        that came before.
        """
        self._failures = 0
        self._troubles.clear()
        return self._at_once()

    def lost(
        self, loss: SessionLost, now_ms: int, lived_ms: int, *, resumed: bool, spoke: bool
    ) -> Attempt | GiveUp:
        """A session that had been ready is gone.

        Args:
            loss: What was told of it.
            now_ms: The time.
            lived_ms: How long it had been ready.
            resumed: Whether it was resumed from a handle.
            spoke: Whether the model was heard in it.
        """
        if spoke or lived_ms >= STABLE_AFTER_MS:
            return self.left(now_ms, lived_ms, spoke=spoke)
        self._troubles.setdefault(AWAY, _Trouble(now_ms))
        if loss.over_quota:
            return self._again(QUOTA, now_ms, None)
        if loss.names_a_mistake:
            return self._unfit()
        self.handle = ""
        return self._at_once() if resumed else self.left(now_ms, lived_ms, spoke=False)

    def left(self, now_ms: int, lived_ms: int, *, spoke: bool) -> Attempt | GiveUp:
        """A session is left, or had proved to work and is gone; see `lost`."""
        self._halves += spoke
        if lived_ms >= STABLE_AFTER_MS or (spoke and self._halves <= HALVES):
            self._failures = 0
        if self._failures == 0:
            self._troubles = {AWAY: _Trouble(now_ms)}
            self._failures = 1
            return self._at_once()
        return self._again(AWAY, now_ms, None)

    def refused(self, refusal: SessionRefused, now_ms: int) -> Attempt | GiveUp:
        """An attempt was refused."""
        self._troubles.setdefault(AWAY, _Trouble(now_ms))
        code, retry_after_ms = refusal.code, refusal.retry_after_ms
        if refusal.over_quota:
            return self._again(QUOTA, now_ms, retry_after_ms)
        for_good = refusal.names_a_mistake
        if self.handle and code in HANDLE_DEAD and not for_good:
            self.handle = ""
            return Attempt("", retry_after_ms or 0, self.fallback)
        if for_good or code in FATAL:
            return self._unfit()
        return self._again(UNREACHABLE if refusal.unreachable else AWAY, now_ms, retry_after_ms)

    @property
    def give_up_ms(self) -> int | None:
        """When a dial that is not answered is the last, or None."""
        away = self._troubles.get(AWAY)
        return None if away is None else away.since_ms + AWAY.budget_ms

    def hung(self, dialled_ms: int, now_ms: int) -> Attempt | GiveUp:
        """An attempt that began at `dialled_ms` was not answered: the model is away since then."""
        self._troubles.setdefault(AWAY, _Trouble(dialled_ms))
        self.handle = ""
        return self._again(AWAY, now_ms, None, stays_away=True)

    def settled(self) -> None:
        """The session answered: whatever was wrong is over."""
        self._failures = self._halves = 0
        self._troubles.clear()
        self._choice.settled()

    def _at_once(self) -> Attempt:
        return Attempt(self.handle, 0, self.fallback)

    def _unfit(self) -> Attempt | GiveUp:
        """The model does not take what we send, and never will."""
        return self._at_once() if self._choice.unfit() else REFUSED

    def _again(
        self,
        patience: Patience,
        now_ms: int,
        retry_after_ms: int | None,
        *,
        stays_away: bool = False,
    ) -> Attempt | GiveUp:
        trouble = self._troubles.setdefault(patience, _Trouble(now_ms))
        trouble.refusals += 1
        ceiling_ms = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2**self._failures)
        self._failures += 1
        wait_ms = (retry_after_ms or 0) + self._random.randint(0, ceiling_ms)
        stays_away |= patience is QUOTA or retry_after_ms is not None
        if patience is not UNREACHABLE and self._choice.failed(now_ms, stays_away=stays_away):
            self.handle = ""
            wait_ms = 0 if self._choice.untried else wait_ms
        over = any(
            now_ms + wait_ms - self._troubles[rule].since_ms >= rule.budget_ms
            for rule in (patience, AWAY)
        )
        if over or trouble.refusals >= patience.attempts:
            return GiveUp(patience.reason)
        return Attempt(self.handle, wait_ms, self.fallback)
