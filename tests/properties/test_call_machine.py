"""Whatever comes, in whatever order: the call's invariants hold."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.conversation.events import (
    AgentSaid,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    GoAway,
    HandleUpdated,
    Interrupted,
    ReplyAudio,
    SessionLost,
    SessionReady,
    SessionRefused,
    TurnComplete,
)
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.speech import CallerSpeech, Utterance
from telephony.call.downlink import LEAD_MS, MESSAGE_MS
from telephony.call.events import (
    CallOpened,
    CallStatus,
    DrainRequested,
    Event,
    LinesStored,
    OwnershipLost,
    StreamEnded,
    StreamStarted,
    Tick,
)
from telephony.call.machine import Call
from telephony.call.microphone import FILL_AFTER_MS
from telephony.call.plain_frame import is_plain_frame
from telephony.call.playout import MARK_GRACE_MS
from telephony.call.presence import Phase
from telephony.call.talk_over import TalkOver
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media, Stop
from tests.properties.followed import World

SILENCE = b"\xff" * 160
VOICE = b"\x10\x90" * 80
PERSONA = replace(DEFAULT_PERSONA, barge_in="quick")
REPLY = b"\x00\x10\x00\xf0" * 480


MOVES = {
    "begins to speak": CallerSpeech(Utterance.BEGAN, sure=False),
    "speaks for sure": CallerSpeech(Utterance.CONFIRMED, sure=True),
    "has spoken": CallerSpeech(Utterance.ENDED, sure=True),
    "has coughed": CallerSpeech(Utterance.ENDED, sure=False),
}
"""What the ear may tell, so that replies are held, gone on with and cut."""

OPS = (
    "ready", "refused", "lost", "stream", "stop", "close", "status", "voice", "silence", "mark",
    "old mark", "audio", "agent said", "caller said", "activity", "interrupted", "generated",
    "turn", "handle", "no handle", "goaway", "stale", "stored", "dtmf", "malformed", "tick",
    "drain", "taken", "hangup", *MOVES,
)  # fmt: skip
RARE = {"drain", "taken", "hangup", "refused"}
ENDS_STREAM = {"stop", "close", "status"}
COMMON = [op for op in OPS if op not in RARE | ENDS_STREAM]
WEIGHTED = COMMON * 12 + ["audio", "agent said"] * 48 + sorted(ENDS_STREAM) * 4 + sorted(RARE)
ops = st.sampled_from(WEIGHTED)


class Told(TalkOver):
    """Hears as others do, and also what it is told to have heard."""

    hears_next: CallerSpeech | None = None

    def news(self, now_ms: int) -> CallerSpeech | None:
        told, self.hears_next = self.hears_next, None
        return super().news(now_ms) if told is None else told


def moves(op: str, call: Call, world: World, now_ms: int) -> None:
    """The ear tells this of the caller."""
    assert isinstance(call._caller.talk_over, Told)
    call._caller.talk_over.hears_next = MOVES[op]
    step(call, world, Tick(), now_ms)


def event_for(op: str, world: World, step: int) -> Event | None:
    session = world.session or 0
    stream = world.stream or "MZ0"
    match op:
        case "ready":
            return None if world.ready or not world.session else SessionReady(session)
        case "refused":
            return None if world.ready or not world.session else SessionRefused(session, 1011, "")
        case "lost":
            return SessionLost(session, 1006, "reset") if world.ready else None
        case "stream":
            world.streams += 1
            return StreamStarted(f"MZ{world.streams}", world.streams)
        case "stop":
            return Stop(stream)
        case "close":
            return StreamEnded(stream, "close")
        case "status":
            return StreamEnded(stream, "status")
        case "voice" | "silence":
            return Media(stream, VOICE if op == "voice" else SILENCE, step * 20)
        case "mark":
            return Mark(stream, world.marks.pop(0)) if world.marks else None
        case "old mark":
            return Mark(stream, "r0:0")
        case "stored":
            return LinesStored(len(world.lines))
        case "dtmf":
            return Dtmf(stream, "5")
        case "malformed":
            return Malformed("not JSON")
        case "drain":
            return DrainRequested(10_000)
        case "taken":
            return OwnershipLost(world.streams + 1)
        case "hangup":
            return CallStatus("completed")
        case "tick":
            return Tick()
        case "stale":
            return ReplyAudio(session + 7, REPLY)
        case _:
            return model_event(op, session, step) if world.ready else None


def model_event(op: str, session: int, step: int) -> Event | None:
    match op:
        case "audio":
            return ReplyAudio(session, REPLY * (1 + step % 25))
        case "agent said":
            return AgentSaid(session, f"word{step} and more ")
        case "caller said":
            return CallerSaid(session, f"caller{step} ")
        case "activity":
            return CallerActivityStarted(session)
        case "interrupted":
            return Interrupted(session)
        case "generated":
            return GenerationComplete(session)
        case "turn":
            return TurnComplete(session)
        case "handle":
            return HandleUpdated(session, f"h{step}", resumable=True)
        case "no handle":
            return HandleUpdated(session, "", resumable=False)
        case "goaway":
            return GoAway(session, 50_000)
        case _:
            raise AssertionError(op)


def step(call: Call, world: World, event: Event, now_ms: int) -> None:
    world.happens(event, now_ms)
    timer_ms, held = call.deadline_ms(), world.held
    commands = call.step(event, now_ms)
    world.held = call._player._held  # what is cut is held no more
    for command in commands:
        world.does(command)
    if call.conversation.debt.rest:
        world.said = [words for words in world.said if words in agent_text(call)]
    if timer_ms is not None and is_plain_frame(event, commands):
        due_ms = call.deadline_ms()
        late = due_ms is not None and due_ms < min(timer_ms, now_ms + FILL_AFTER_MS)
        assert not late, "the driver does not look at deadlines after a plain frame"
    if isinstance(event, Stop | StreamEnded) and call.phase is not Phase.STREAMING:
        world.stream = None
    world.holds += world.held and not held
    _looks_right(call, now_ms)


def _looks_right(call: Call, now_ms: int) -> None:
    assert bool(call.conversation._playing.hold) == call._player._held, "two minds about a hold"
    playout = call._player._playout
    assert 0 <= playout._heard(now_ms) <= playout._sent, "heard more than was sent"
    limit_ms = LEAD_MS + MESSAGE_MS + MARK_GRACE_MS  # a mark may show that the clock ran ahead
    assert playout.queued_samples(now_ms) <= limit_ms * 8, "more than the lead"


waits = st.integers(0, 60) | st.integers(0, 700) | st.integers(0, 20_000)
beginnings = st.sampled_from(
    [[], [("stream", 200), ("ready", 300)], [("ready", 90), ("stream", 9)]]
)


type Script = list[tuple[str, int]]

scripts = st.lists(st.tuples(ops, waits), max_size=150)
long_scripts = st.lists(
    st.tuples(
        st.sampled_from(WEIGHTED * 2 + sorted(MOVES) * 96 + ["ready", "stream"] * 48),
        st.integers(0, 60) | st.integers(0, 700),
    ),
    min_size=60,
    max_size=150,
)
"""Calls that last, and in which much is held. Most of the others have fewer than ten events."""


@settings(max_examples=200)  # `python -m tests.properties` for 30 000
@given(beginnings, scripts | long_scripts, st.integers(0, 2**32 - 1))
def test_any_order_and_mix_of_events_leaves_the_invariants_whole(
    beginning: Script, script: Script, seed: int
) -> None:
    run(beginning, script, seed)


def run(beginning: Script, script: Script, seed: int) -> World:
    """Send a call all of this, and check it after each step. Returns what came of it."""
    call, world, now_ms = opened(seed)
    for i, (op, wait_ms) in enumerate(beginning + script):
        now_ms = wait(call, world, now_ms, now_ms + wait_ms)
        if op in MOVES and not world.over:
            moves(op, call, world, now_ms)
        event = None if op in MOVES else event_for(op, world, i)
        if event is None or world.over:
            continue
        held = call.conversation.debt.rest
        dropping = call.conversation.generation.value == "dropping"
        step(call, world, event, now_ms)
        crossed = call.conversation._sieve._crossed  # leaves out what a nudge led to
        left_out = crossed._state.value == "leaving out"
        if isinstance(event, AgentSaid) and not dropping and not left_out and not held:
            world.said.append(event.text.strip())
    if not world.over:
        step(call, world, CallStatus("completed"), now_ms)
    assert world.over
    assert [line.n for line in world.lines] == list(range(1, len(world.lines) + 1))
    assert all(a.epoch <= b.epoch for a, b in pairwise(world.lines))
    stored = " ".join(line.text for line in world.lines if line.role == "agent")
    assert [stored.count(words) for words in world.said] == [1] * len(world.said)
    return world


def agent_text(call: Call) -> str:
    """All words of the agent that are lines, or of a reply that is heard."""
    lines = [line.text for line in call.conversation.lines if line.role == "agent"]
    return " ".join([*lines, *(reply.text for reply in call.conversation.open_replies)])


def opened(seed: int) -> tuple[Call, World, int]:
    event = CallOpened("CA1", seed, 1_700_000_000_000, PERSONA)
    call, world = Call(event), World()
    call._caller.talk_over = Told("quick")
    step(call, world, event, 0)
    return call, world, 0


def wait(call: Call, world: World, now_ms: int, until_ms: int) -> int:
    """Let time pass, with a tick at every deadline on the way."""
    while (deadline_ms := call.deadline_ms()) is not None and deadline_ms <= until_ms:
        now_ms = max(now_ms, deadline_ms)
        step(call, world, Tick(), now_ms)
        again_ms = call.deadline_ms()
        assert again_ms is None or again_ms > now_ms, "a deadline that does not pass"
    return until_ms
