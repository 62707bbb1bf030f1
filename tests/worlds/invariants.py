"""The rules that hold for every call. A call that was cut has no expected commands, but has these.

Each check yields a description of every violation.
"""

from collections import Counter
from collections.abc import Iterator

from agent.conversation.built_in_tools import SEND_SMS
from agent.conversation.commands import AppendLine, RunTool, SayToModel, SendCallerAudio
from agent.conversation.listener_commands import HideCaller, ShowCaller
from agent.conversation.message import messages_of
from agent.conversation.persona import (
    DEFAULT_PERSONA,
    NO_GREETING,
    RESULTS_ARE,
    keys_pressed,
    words_of,
)
from agent.conversation.sms import refusal
from agent.conversation.tools import Ledger
from agent.simulator.voice import WORDS, clip, texts
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.events import StoreAway, StoreBack
from telephony.simulator.world import World
from telephony.simulator.world_spec import MOST_SMS, WorldSpec
from telephony.twilio.messages import Dtmf, Media
from tests.worlds import judge
from tests.worlds.stale import stale_bytes, stale_of_held

SAFE_MS = 50
"""A line that was final for so long is in the store."""

GREETED_MS = 300

KEYS_ARE = keys_pressed("")[:-2]
"""Begins a text that tells of keys."""


def broken(world: World, spec: WorldSpec) -> list[str]:
    """All that is wrong with a call.

    Args:
        world: A world that has run.
        spec: What it was made of.
    """
    checks = (_ended, _lines, _acts, _dialled, _messages, _hidden, _sound)
    wrong = [each for check in checks for each in check(world)]
    wrong += [*_texted(world, spec), *_heard(world, spec), *_greeted(world, spec)]
    held = spec.barge_in.manner != "server"
    stale = stale_of_held(world, _late_ms(spec)) if held else stale_bytes(world)
    return [*wrong, f"{stale} bytes are stale after a clear"] if stale else wrong


def _late_ms(spec: WorldSpec) -> int:
    """How much later than it was heard is known, at most, what the caller hears: a way there, a way
    back, an echo, and a store's write.
    """
    line = spec.line
    return 2 * spec.network.twilio_ms[1] + line.processing_ms[1] + line.late_echo_ms + SAFE_MS


def _ended(world: World) -> Iterator[str]:
    if not world.over:
        yield f"the call goes on at {world.now_ms} ms"


def _lines(world: World) -> Iterator[str]:
    """Each final line is stored once and in order; none is lost that was final for a while."""
    stored = world.store.lines
    yield from world.store.complaints
    if [line.n for line in stored] != list(range(1, len(stored) + 1)):
        yield f"lines are numbered {[line.n for line in stored]}"
    dead_ms = {worker.number: worker.died_ms for worker in world.workers}
    for step in world.steps:
        died_ms = dead_ms[step.worker]
        safe = died_ms is None or step.at_ms < died_ms - SAFE_MS
        for command in step.commands if safe else ():
            lost = isinstance(command, AppendLine) and command.line not in stored
            if lost and not _away(world, step.at_ms):
                yield f"lost at {step.at_ms} ms: {command}"


def _away(world: World, at_ms: int) -> bool:
    """Whether the store was away then: what a worker holds in memory dies with it."""
    told = [step for step in world.steps if isinstance(step.event, StoreAway | StoreBack)]
    before = [step for step in told if step.at_ms <= at_ms]
    return bool(before) and isinstance(before[-1].event, StoreAway)


def _besides(text: str) -> bool:
    """Whether a text tells a session what has happened besides, or has the agent say its persona's
    own words: results of tools, keys, and what ends a call or a silence.
    """
    told = text.startswith((RESULTS_ARE, KEYS_ARE)) and NO_GREETING not in text
    return told or (words_of(text) is not None and text != DEFAULT_PERSONA.greeting_cue)


def _acts(world: World) -> Iterator[str]:
    """The model is made to speak once a session; to be asked again it has to owe an answer. What a
    tool takes, or gives, is told besides.
    """
    cues = Counter(
        (step.worker, command.session)
        for step in world.steps
        for command in step.commands
        if isinstance(command, SayToModel) and not command.trouble and not _besides(command.text)
    )
    yield from (f"session {session} was cued {n} times" for session, n in cues.items() if n > 1)


def _dialled(world: World) -> Iterator[str]:
    """Each transfer rings once or never, and ends. Meanwhile no model hears, and no tool begins."""
    for number, legs in Counter(leg.step for leg in world.dial.legs).items():
        if legs > 1:
            yield f"step {number} was dialled {legs} times"
    for leg in world.dial.legs:
        if leg.ended_ms is None:
            yield f"the leg to {leg.to} is left up"
            continue
        for step in world.steps:
            busy = [c for c in step.commands if isinstance(c, SendCallerAudio | RunTool)]
            if busy and leg.began_ms <= step.at_ms < leg.ended_ms:
                yield f"at {step.at_ms} ms, on the line with {leg.to}: {type(busy[0]).__name__}"


def _texted(world: World, spec: WorldSpec) -> Iterator[str]:
    """Each text message is sent once or never, and is one that its owner wrote."""
    begun = [run for run in world.tools.begun if run.name == SEND_SMS]
    for arguments, times in Counter(run.arguments for run in begun).items():
        if times > 1:
            yield f"a message was sent {times} times: {arguments}"
        if wrong := refusal([each.template for each in spec.sms], arguments):
            yield f"a message was sent against its template: {wrong}"
    if len(begun) > MOST_SMS:
        yield f"{len(begun)} messages were sent"


def _hidden(world: World) -> Iterator[str]:
    """No sound and no key of a hidden caller is known to a call, and no model hears the caller."""
    hidden: dict[int, bool] = {}
    for step in world.steps:
        hides = hidden.get(step.worker, False)
        heard = any(isinstance(c, SendCallerAudio) and c.live for c in step.commands)
        if hides and (heard or isinstance(step.event, Media | Dtmf)):
            yield f"at {step.at_ms} ms, of a hidden caller: {type(step.event).__name__}"
        for command in step.commands:
            if isinstance(command, HideCaller | ShowCaller):
                hidden[step.worker] = isinstance(command, HideCaller)


def _messages(world: World) -> Iterator[str]:
    """What the caller says is passed on once: no line of theirs is in two messages."""
    kept = world.store.checkpoint
    if kept is None:
        return
    taken = messages_of(Ledger.from_text(kept.tools, (), next_step=kept.next_step, over=True))
    lines = Counter(line.n for message in taken for line in message.lines(world.store.lines))
    yield from (f"line {n} is in {times} messages" for n, times in lines.items() if times > 1)
    for each in taken:
        if each.until_ms is not None and each.until_ms < each.from_ms:
            yield f"a message ended before it began: {each}"


def _sound(world: World) -> Iterator[str]:
    for line in world.phone.lines:
        yield from (f"Twilio complains: {complaint}" for complaint in line.complaints)


def _heard(world: World, spec: WorldSpec) -> Iterator[str]:
    """No line says that more was heard than had been sent by then."""
    sent: dict[str, int] = {}
    cleared: set[str] = set()
    for reply in judge.replies(world):
        if reply.heard_samples > len(reply.ulaw):
            yield f"{reply.heard_samples} of {len(reply.ulaw)} samples heard"
        for name, begins in judge.clips_of(bytes(reply.ulaw)):
            sent[name] = max(sent.get(name, 0), begins + len(reply.ulaw))
            cleared |= {name} if reply.clears else set()
    for line in world.store.lines:
        if not line.text.startswith(line.heard):
            yield f"heard is not a beginning of the text: {line}"
        names = [name for name in sent if clip(f"agent/{name}").text.startswith(line.text)]
        if line.role != "agent" or (line.heard == line.text and cleared.isdisjoint(names)):
            continue  # whole: a turn cut short by the model is heard whole, too
        if any(words.startswith(line.text) for words in _told_to_say(spec)):
            continue  # they are of no clip
        if not names and any(line.text in clip(name).text for name in texts()):
            continue  # the rest of a reply that was broken off
        most = max((_words_in(name, sent[name]) for name in names), default=0)
        if len(line.heard.split()) > most + 1:
            yield f"more was heard than the {most} words sent: {line}"


def _told_to_say(spec: WorldSpec) -> list[str]:
    """The words that the agent is told to say exactly, and those that its script writes out."""
    tools = [each.tool.says for each in spec.tools]
    said = (spec.model.greeting, *(turn.say for turn in spec.model.turns))
    written = [say.removeprefix(WORDS) for say in said if say.startswith(WORDS)]
    others = [spec.goodbye, spec.agent.still_there, spec.agent.message_consent]
    targets = [each.says for each in spec.transfers]
    return [words for words in (*others, *tools, *targets, *written) if words]


def _words_in(name: str, samples: int) -> int:
    """How many words of a clip had begun by then, taken as spoken evenly by characters."""
    text = clip(f"agent/{name}").text
    return len(text[: round(len(text) * samples / len(judge.spoken(name)))].split())


def _greeted(world: World, spec: WorldSpec) -> Iterator[str]:
    """One greeting; another one only if hardly anything of the first was heard.

    What the caller hears is known later (`_late_ms`), and is forgotten if the worker dies while the
    store is away.
    """
    lag_ms = _late_ms(spec)
    replies = [reply for reply in judge.replies(world) if reply.spans]
    since_ms = [0, *(reply.spans[0].at_ms for reply in replies)]
    given = [
        reply
        for before_ms, reply in zip(since_ms, replies, strict=False)
        if judge.clips_of(bytes(reply.ulaw)) == [(spec.model.greeting, 0)]
        and not _told_words(world, before_ms, reply.spans[0].at_ms)
    ]
    for again in given:
        asked_ms = _asked_ms(world, again)
        for first in given:
            if (first.worker, first.number) >= (again.worker, again.number):
                continue
            died_ms = world.workers[first.worker - 1].died_ms
            known_ms = asked_ms if died_ms is None else min(asked_ms, died_ms)
            heard_ms = _heard_ms(first, known_ms)
            if heard_ms >= GREETED_MS + lag_ms and not _away(world, known_ms):
                yield f"a second greeting, though {heard_ms} ms of the first were heard"


def _told_words(world: World, from_ms: int, until_ms: int) -> bool:
    """Whether the model was told then to say words, which are of no clip.

    They sound as the first clips do, so as the greeting `greeting`.
    """
    return any(
        isinstance(command, SayToModel) and words_of(command.text) is not None
        for step in world.steps
        if from_ms <= step.at_ms <= until_ms
        for command in step.commands
    )


def _asked_ms(world: World, reply: judge.Reply) -> int:
    """When the model was last made to speak before a reply was heard."""
    return max(
        (
            step.at_ms
            for step in world.steps
            if step.at_ms <= reply.spans[0].at_ms
            and any(isinstance(command, SayToModel) for command in step.commands)
        ),
        default=0,
    )


def _heard_ms(reply: judge.Reply, until_ms: int) -> int:
    """How much of a reply had been heard by then."""
    return sum(
        max(0, min(len(span.ulaw) // PHONE_SAMPLES_PER_MS, until_ms - span.at_ms))
        for span in reply.spans
    )
