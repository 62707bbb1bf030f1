"""Draws a world from a seed: the caller, the model's behaviour, and the faults. Pure.

Worlds are short, so that many can run: one or two questions, a model that answers quickly, and at
most three faults.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from agent.conversation.events import CallerActivityStarted, GenerationComplete, TurnComplete
from agent.simulator.behaviour import BRISK, Behaviour
from agent.simulator.faults import (
    Close,
    DropHandles,
    Freeze,
    GoAway,
    IgnoreSpeech,
    PhantomInterrupted,
    RefuseConnect,
    Reset,
    ShortTurn,
    SlowSetup,
)
from telephony.simulator import script as caller_script
from telephony.simulator.faults import LineFaults
from telephony.simulator.network import Network
from telephony.simulator.script import Script
from telephony.simulator.world_faults import (
    Drain,
    DropNext,
    KillWorker,
    LoseStore,
    LoseStream,
    SendFrame,
    StallStream,
    WorldFault,
)
from telephony.simulator.world_spec import SMALL_TALK, TimedFault, WorldSpec
from telephony.twilio.messages import Mark

QUESTIONS = ("q1", "q2", "q3", "q4", "q5", "morgan")
GREETINGS = ("greeting", "sorry")
PATIENCE_MS = 2_000
LATEST_FAULT_MS = 6_000
MOST_FAULTS = 3

_FAULTS: tuple[Callable[[Random], WorldFault], ...] = (
    lambda _: LoseStream(),
    lambda _: LoseStream(elsewhere=True),
    lambda rng: StallStream(rng.randint(50, 600)),
    lambda _: SendFrame(),
    lambda rng: LoseStore(rng.randint(100, 3_000)),
    lambda rng: Drain(rng.randint(500, 2_000)),
    lambda _: KillWorker(),
    lambda rng: DropNext(
        rng.choice((Mark, GenerationComplete, TurnComplete, CallerActivityStarted))
    ),
    lambda rng: Close(rng.choice((1000, 1007, 1008, 1011))),
    lambda _: Reset(),
    lambda rng: Freeze(rng.randint(100, 2_000)),
    lambda rng: GoAway(rng.randint(100, 3_000)),
    lambda _: DropHandles(),
    lambda rng: RefuseConnect(rng.choice((429, 503, 1008, 1011))),
    lambda rng: SlowSetup(rng.randint(100, 2_000)),
    lambda rng: ShortTurn(rng.choice((0, rng.randint(1, 2_000)))),
    lambda _: PhantomInterrupted(),
    lambda _: IgnoreSpeech(),
)


def draw(seed: int) -> WorldSpec:
    """Draw the world of a seed."""
    rng = Random(f"world {seed}")  # noqa: S311 - a simulation, which a seed repeats
    return WorldSpec(
        caller=_caller(rng),
        model=replace(SMALL_TALK, greeting=rng.choice(GREETINGS), fallback="goodbye"),
        behaviour=_behaviour(rng),
        line=_line(rng),
        network=_network(rng),
        faults=tuple(
            TimedFault(rng.randint(0, LATEST_FAULT_MS), rng.choice(_FAULTS)(rng))
            for _ in range(rng.randint(0, MOST_FAULTS))
        ),
        seed=seed,
    )


def _caller(rng: Random) -> Script:
    steps = [_question(rng) for _ in range(rng.choice((1, 1, 2)))]
    leave = rng.choice(('wait = "agent"', f"barge_in_ms = {rng.randint(0, 1_000)}"))
    text = "\n".join(f"[[steps]]\n{step}" for step in (*steps, f"{leave}\nhang_up = true"))
    read = caller_script.parse(text)
    return replace(read, patience_ms=PATIENCE_MS, quiet_ms=400)


def _question(rng: Random) -> str:
    when = rng.choice(
        (
            'wait = "agent"',
            f"barge_in_ms = {rng.randint(0, 2_000)}",
            f"after_ms = {rng.randint(0, 2_000)}",
        )
    )
    return f'{when}\nsay = "{rng.choice(QUESTIONS)}"'


def _behaviour(rng: Random) -> Behaviour:
    return replace(
        BRISK,
        setup_ms=(100, 300),
        think_ms=(100, 400),
        chunk_ms=rng.choice((40, 210, 210, 1_000)),
        speed=rng.choice((0.9, 4.3, 20.0)),
        jitter=rng.choice((0.0, 0.5)),
        voice_activity=rng.random() < 0.8,
        voice_activity_lag_ms=rng.choice((100, 1_000)),
        turn_complete_at=rng.choice(("playback end", "last audio")),
        transcription=rng.choice(("utterance", "words")),
        output_transcription=rng.choice(("inline", "before")),
        stale_audio=rng.random() < 0.3,
        empty_messages=rng.random() < 0.3,
    )


def _line(rng: Random) -> LineFaults:
    return LineFaults(
        late_echo_ms=rng.choice((0, 0, 100, 300)),
        stall_rate=rng.choice((0.0, 0.0, 0.01)),
        odd_sizes=rng.random() < 0.1,
        idle_silence=rng.random() < 0.9,
        stop=rng.random() < 0.8,
    )


def _network(rng: Random) -> Network:
    least_ms = rng.choice((5, 25, 80))
    return Network(
        twilio_ms=(least_ms, least_ms + rng.randint(0, 20)),
        gemini_ms=(least_ms, least_ms + rng.randint(0, 20)),
        store_ms=(1, rng.choice((5, 20))),
    )
