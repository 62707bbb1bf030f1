"""What a caller noticed of a case: when the agent fell silent, and how it went on. Pure."""

from dataclasses import dataclass

from agent.conversation.persona import Manner
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from tests.benchmarks.ear.corpus import LONG, Case
from tests.benchmarks.ear.words import within
from tests.worlds import judge
from tests.worlds.sdk import WireSdk

UNTIL_MS = 60_000


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a caller noticed.

    Args:
        silent_after_ms: From the sound's onset to the agent's silence; None if it spoke on.
        dropped: Whether the rest of the reply was not said.
        holds: How often the agent fell silent.
        pauses_ms: How long each time until it went on, where it did.
        twice_ms: How much of it was said again, at most.
        lost_ms: How much of it was left out before its end.
        words_twice: The words of which more than half was said again.
        words_lost: And was left out.
    """

    silent_after_ms: int | None
    dropped: bool
    holds: int
    pauses_ms: tuple[int, ...]
    twice_ms: int
    lost_ms: int
    words_twice: tuple[str, ...]
    words_lost: tuple[str, ...]


def noticed(case: Case, manner: Manner) -> Noticed:
    """Live a case, and judge it by what Twilio played."""
    world = case.spec(manner).world(WireSdk())
    world.run(UNTIL_MS)
    reply = next(each for each in judge.replies(world) if each.name == LONG)
    silences = _silences(reply)
    onset_ms = world.phone.said[0][0] if world.phone.said else None
    after = [
        max(0, at_ms - onset_ms)
        for at_ms, until in silences
        if onset_ms is not None and (until is None or until > onset_ms)
    ]
    return Noticed(
        silent_after_ms=after[0] if after else None,
        dropped=reply.cut,
        holds=len(silences),
        pauses_ms=tuple(until - at_ms for at_ms, until in silences if until is not None),
        twice_ms=max(reply.went_back, default=0) // PHONE_SAMPLES_PER_MS,
        lost_ms=-min([0, *reply.went_back]) // PHONE_SAMPLES_PER_MS,
        words_twice=tuple([w.text for at, to in reply.gone_on for w in within(at, to)]),
        words_lost=tuple([w.text for at, to in reply.gone_on for w in within(to, at)]),
    )


def _silences(reply: judge.Reply) -> list[tuple[int, int | None]]:
    """When the reply fell silent before its end, and when it was heard again."""
    out: list[tuple[int, int | None]] = []
    for span, later in zip(reply.spans, [*reply.spans[1:], None], strict=True):
        if later is not None:
            out.append((span.ends_ms, later.at_ms))
        elif reply.cut:
            out.append((span.ends_ms, None))
    return out
