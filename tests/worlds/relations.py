"""What must be as in the clean world, whatever dirt a world has.

Everything is taken from what was said, heard, sent and stored; the call is never asked.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.conversation.commands import CloseModel, SayToModel
from agent.conversation.events import CallerSaid, SessionLost, SessionRefused
from agent.conversation.transcript import Line
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, SendMedia
from telephony.simulator.world import World
from telephony.simulator.world_spec import WorldSpec
from tests.worlds import judge
from tests.worlds.dirt import Dirt, Words
from tests.worlds.invariants import broken
from tests.worlds.truth import HEARD_MS, Truth

WORDS_OFF = 3
"""So many words more or fewer may be heard of a reply that is talked over, or broken off: it is
stopped between two words, which may be a second apart."""

MISSED_MS = 1_500
"""So much of a reply is missed if nothing of it is heard."""

DEAD_MS = 5_000
"""So long, a caller may wait and hear nothing."""

UNDERSTOOD = 0.6
"""The coverage from which a caller's line counts as heard by the model."""

NOTES_APART_MS = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What mattered in a call.

    Args:
        lines: The transcript, without replies of which nothing was heard.
        clears: How often a reply was silenced that was being heard.
        lost: Sessions that were lost, refused, or left because they owed something.
        renewed: Sessions that were left for another reason.
        understood: The caller's lines that the model heard, each with how often.
        heard: The agent's clips of which the caller heard a word, each with how often.
        missed: Those of which the caller heard so much that they would be missed.
        most_said: How often the caller said the same line, at most; 1 if nothing was said.
        said_to_any: How often each clip may be said that the model says to any text of ours, or to
            any question that it has not understood.
        notes: Waiting sounds while nobody was owed anything, and the model was asked nothing.
        texts: Texts to the model while nobody was owed anything.
        dead_ms: The longest time in which the caller was owed something and heard nothing.
        told: What the model told of the caller's words, in one.
        duration_ms: How long the call took.
        wrong: The rules that every call has to keep, and this one did not.
    """

    lines: tuple[Line, ...]
    clears: int
    lost: int
    renewed: int
    understood: Counter[str]
    heard: Counter[str]
    missed: frozenset[str]
    most_said: int
    said_to_any: Counter[str]
    notes: int
    texts: int
    dead_ms: int
    told: str
    duration_ms: int
    wrong: tuple[str, ...]


def outcome(world: World, spec: WorldSpec) -> Outcome:
    """What mattered in a world that has run."""
    steps = world.steps
    commands = [command for step in steps for command in step.commands]
    troubled = [c for c in commands if isinstance(c, CloseModel) and c.trouble]
    ended = [step for step in steps if isinstance(step.event, SessionLost | SessionRefused)]
    truth = Truth(world)
    texts = [s.at_ms for s in steps for c in s.commands if isinstance(c, SayToModel)]
    return Outcome(
        lines=tuple(line for line in world.store.lines if line.heard),
        clears=sum(
            reply.clears
            for reply in judge.replies(world)
            if reply.heard_samples >= HEARD_MS * PHONE_SAMPLES_PER_MS
        ),
        lost=len(troubled) + len(ended),
        renewed=sum(isinstance(c, CloseModel) and not c.trouble for c in commands),
        understood=Counter(
            heard.phrase
            for heard in judge.heard(world)
            if heard.phrase is not None and heard.coverage >= UNDERSTOOD
        ),
        heard=Counter(truth.names(HEARD_MS)),
        missed=frozenset(truth.names(MISSED_MS)),
        most_said=max(Counter(said.name for _, said in world.phone.said).values(), default=1),
        said_to_any=Counter({spec.model.on_text: len(texts)})
        + Counter({spec.model.fallback: len(world.phone.said)}),
        notes=sum(not (truth.owed(at_ms) or truth.asked(at_ms)) for at_ms in _notes(world)),
        texts=sum(not truth.owed(at_ms) for at_ms in texts),
        dead_ms=truth.dead_ms(_notes(world), world.now_ms),
        told="".join(step.event.text for step in steps if isinstance(step.event, CallerSaid)),
        duration_ms=world.now_ms,
        wrong=tuple(broken(world, spec)),
    )


def relations_of(dirt: Dirt, *, closely: bool) -> int:
    """How many relations `violated` tries."""
    if dirt.ends_sessions:
        return 5 if closely else 4
    if closely:
        return 10
    return 4 if dirt.moves_time else 6


def violated(clean: Outcome, dirty: Outcome, dirt: Dirt, *, closely: bool) -> Iterator[str]:
    """Every relation between the clean call and the dirty one that does not hold.

    Args:
        clean: The call without dirt.
        dirty: The same call with it.
        dirt: Of this kind.
        closely: Whether what was said and heard is compared, too: not where that goes by the clock.
    """
    known = Counter(clean.wrong)
    yield from (wrong for wrong in dirty.wrong if not known[wrong])
    if dirty.notes > clean.notes:
        yield f"{dirty.notes} waiting sounds while nobody is owed anything, {clean.notes} before"
    if dirty.texts > clean.texts and not dirt.ends_sessions:
        yield f"{dirty.texts} texts while nobody is owed anything, {clean.texts} before"
    by_clock = dirt.moves_time and not closely
    if dirty.lost > clean.lost and not dirt.ends_sessions and not by_clock:
        yield f"{dirty.lost} sessions lost, {clean.lost} before"
    for name, times in dirty.heard.items():
        most = max(dirty.most_said, dirty.said_to_any[name], clean.heard[name])
        if times > most + dirt.ends_sessions:
            yield f"{name!r} was heard {times} times, {clean.heard[name]} before"
    if dirty.dead_ms > max(clean.dead_ms, DEAD_MS) and not by_clock:
        yield f"the caller waits {dirty.dead_ms} ms and hears nothing, {clean.dead_ms} before"
    if not closely:
        return
    for name in clean.understood:
        if name not in dirty.understood:
            yield f"the model did not hear {name!r}, and did before"
    if dirt.ends_sessions:
        return  # a reply may be broken off, and nobody is talked over while there is no session
    for name in clean.missed:
        if name not in dirty.heard:
            yield f"the caller did not hear {name!r}, and did before"
    if dirty.clears != clean.clears:
        yield f"{dirty.clears} clears, {clean.clears} before"
    yield from _lines(clean, dirty, dirt)


def _lines(clean: Outcome, dirty: Outcome, dirt: Dirt) -> Iterator[str]:
    before, after = list(clean.lines), list(dirty.lines)
    if dirt.words is Words.LATE:
        # Words that come when their answer has been heard stand behind it; others never come.
        stored = " ".join(line.text for line in after if line.role == "caller")
        for line in before:
            if line.role == "caller" and line.text in dirty.told and line.text not in stored:
                yield f"the model told {line.text!r}, and it was not stored"
    if dirt.words in {Words.LATE, Words.NO_CALLERS}:
        before, after = _of("agent", before), _of("agent", after)
    if dirt.words is Words.NO_AGENTS:
        before, after = _of("caller", before), _of("caller", after)
    if dirt.words is Words.IN_PIECES:
        before = _as_far_as_told(before, after, dirty.told)
    if len(before) > len(after) and before[-1].role == "caller" and not dirty.told:
        before.pop()  # the call ended before a word of it had come
    if len(before) != len(after) or not all(map(_same, before, after)):
        yield f"the lines are {_brief(after)}, and were {_brief(before)}"


def _as_far_as_told(before: list[Line], after: list[Line], told: str) -> list[Line]:
    """The lines, the caller's last one without the words that had not come when the call ended."""
    ours, last = (
        [line for line in lines if line.role == "caller"][-1:] for lines in (before, after)
    )
    if not (ours and last) or not told.rstrip().endswith(last[0].text):
        return before
    if not ours[0].text.startswith(last[0].text):
        return before
    short = replace(ours[0], text=last[0].text, heard=last[0].text)
    return [short if line is ours[0] else line for line in before]


def _of(role: str, lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.role == role]


def _same(was: Line, now: Line) -> bool:
    """Whether two lines tell the same. What is generated of a reply that is cut depends on time."""
    if was.role != now.role:
        return False
    if was.role == "caller":
        return was.text == now.text
    off = abs(len(was.heard.split()) - len(now.heard.split()))
    # A reply that was broken off is two lines, and may be parted at another word.
    begins = was.text.startswith(now.heard) or now.text.startswith(was.heard)
    ends = was.heard.endswith(now.heard) or now.heard.endswith(was.heard)
    return off <= WORDS_OFF and (begins or ends)


def _brief(lines: list[Line]) -> str:
    return " | ".join(f"{line.role}: {line.heard}" for line in lines) or "none"


def _notes(world: World) -> list[int]:
    """When each waiting sound began."""
    begun: list[int] = []
    last_ms = -NOTES_APART_MS
    for entry in world.written:
        if isinstance(entry.command, SendMedia) and entry.command.reply == NO_REPLY:
            if entry.at_ms - last_ms >= NOTES_APART_MS:
                begun.append(entry.at_ms)
            last_ms = entry.at_ms
    return begun
