"""What makes a world dirty, and must not change what matters in it.

A kind of dirt is a set of the simulators' own switches, drawn by a seed: fields of `LineFaults`
behind `line.`, and of `Behaviour` behind `behaviour.`. So a call that a dirty world shows can be
made with `offhook simulate` and `offhook try` too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from random import Random

from telephony.call.ending import FOR_A_MACHINE
from telephony.simulator.world_faults import Drain, KillWorker, LoseStream, RequestEnd
from telephony.simulator.world_spec import WorldSpec

type Switches = Mapping[str, object]

SPEECH_DBFS = -33.0
"""What the model of these worlds takes for speech. The real one tells a caller from a television by
other means than the level; so must a simulated one, or it would hear no end of a question."""

LONG_MS = 300_000
PATIENCE_MS = 12_000


class Words(Enum):
    """What becomes of the words that the model tells."""

    AS_BEFORE = "as before"
    LATE = "late"
    IN_PIECES = "in pieces"
    NO_CALLERS = "none of the caller's"
    NO_AGENTS = "none of the agent's"


@dataclass(frozen=True, slots=True)
class Dirt:
    """One kind.

    Args:
        name: For the command line.
        draw: Draws the switches.
        moves_time: The agent may be heard at other times than in the clean world.
        words: What becomes of the words that the model tells.
        ends_sessions: Sessions end that would not have ended.
    """

    name: str
    draw: Callable[[Random], Switches]
    moves_time: bool = False
    words: Words = Words.AS_BEFORE
    ends_sessions: bool = False

    def fits(self, spec: WorldSpec) -> bool:
        """Whether the call has no need of what this takes away.

        - Where the model tells of no activity, its words alone show that the caller talks over the
          agent. Where a worker dies, they are all that the next one knows of a question. Where
          Twilio takes somebody for a machine, they alone show a service that screens the call.
        - The agent's words are all that shows where a reply was broken off, and the last words of a
          question may be lost with a session.
        - Where audio comes slower than it is heard, large pieces of it come too late.
        - Where media has a byte at a time, a noise has no level.
        """
        suffered = [timed.fault for timed in spec.faults]
        suffered += [timed.fault for turn in spec.model.turns for timed in turn.faults]
        match self.words:
            case Words.LATE | Words.NO_CALLERS:
                return spec.behaviour.voice_activity and not any(map(_asks_for_words, suffered))
            case Words.NO_AGENTS | Words.IN_PIECES:
                return not suffered
            case Words.AS_BEFORE:
                slow = self.name == "chunks" and spec.behaviour.speed < 1
                noisy = self.name in {"murmur", "room", "comfort-noise", "echo"}
                return not slow and not (noisy and spec.line.odd_sizes)


def _asks_for_words(fault: object) -> bool:
    """Whether what follows from a fault depends on the caller's words."""
    if isinstance(fault, RequestEnd):
        return fault.reason in FOR_A_MACHINE
    return isinstance(fault, KillWorker | Drain | LoseStream)


def _background(kind: str) -> Callable[[Random], Switches]:
    return lambda rng: {"line.background": kind, "line.background_db": rng.uniform(20, 30)}


def _go_away(least_ms: int, most_ms: int, **switches: object) -> Callable[[Random], Switches]:
    """Sessions that live for a few seconds, and are announced to end so long before."""
    named = {f"behaviour.{name}": value for name, value in switches.items()}
    return lambda rng: {
        "behaviour.lifetime_ms": rng.randint(5_000, 12_000),
        "behaviour.go_away_ms": rng.randint(least_ms, most_ms),
        **named,
    }


DIRT = {
    dirt.name: dirt
    for dirt in (
        Dirt("murmur", _background("murmur")),
        Dirt("room", _background("room")),
        Dirt(
            "comfort-noise",
            lambda rng: {"line.background": "comfort", "line.background_db": rng.uniform(30, 45)},
        ),
        Dirt(
            "echo",
            lambda rng: {
                "line.echo_db": rng.uniform(30, 40),
                "line.echo_ms": rng.randint(150, 210),
            },
        ),
        Dirt("no-media-in-silence", lambda _: {"line.idle_silence": False}),
        Dirt(
            "stalls",
            lambda rng: {"line.stall_rate": rng.uniform(0.005, 0.02), "line.stall_ms": (100, 600)},
            moves_time=True,
        ),
        Dirt(
            "late-words",
            lambda rng: {"behaviour.transcription_ms": rng.randint(0, 3_000)},
            words=Words.LATE,
        ),
        Dirt(
            "words-in-letters",
            lambda rng: {
                "behaviour.transcription": "letters",
                "behaviour.transcription_gap_ms": rng.randint(0, 150),
            },
            words=Words.IN_PIECES,
        ),
        Dirt("words-in-one-piece", lambda _: {"behaviour.transcription": "utterance"}),
        Dirt("marked-words", lambda _: {"behaviour.markup": True}),
        Dirt("no-words", lambda _: {"behaviour.transcription": "nothing"}, words=Words.NO_CALLERS),
        Dirt("agent-words-first", lambda _: {"behaviour.output_transcription": "first"}),
        Dirt(
            "no-agent-words",
            lambda _: {"behaviour.output_transcription": "nothing"},
            words=Words.NO_AGENTS,
        ),
        Dirt(
            "go-away-early",
            lambda rng: {
                "behaviour.lifetime_ms": LONG_MS,
                "behaviour.go_away_ms": LONG_MS - rng.randint(0, 3_000),
            },
        ),
        Dirt("go-away-in-time", _go_away(1_000, 4_000), moves_time=True, ends_sessions=True),
        Dirt("go-away-late", _go_away(0, 200), moves_time=True, ends_sessions=True),
        Dirt(
            "go-away-without-time",
            _go_away(1_000, 4_000, go_away_time=False),
            moves_time=True,
            ends_sessions=True,
        ),
        Dirt(
            "no-go-away",
            lambda rng: {
                "behaviour.lifetime_ms": rng.randint(5_000, 12_000),
                "behaviour.go_away_ms": None,
            },
            moves_time=True,
            ends_sessions=True,
        ),
        Dirt("other-messages", lambda _: {"behaviour.other_messages": True}),
        Dirt(
            "thinking",
            lambda rng: {"behaviour.think_ms": (rng.randint(300, 3_000),) * 2},
            moves_time=True,
        ),
        Dirt(
            "long-thinking",
            lambda rng: {"behaviour.think_ms": (rng.randint(3_000, 6_000),) * 2},
            moves_time=True,
        ),
        Dirt("chunks", lambda rng: {"behaviour.chunk_ms": rng.randint(10, 1_000)}),
    )
}
"""Every kind, by its name."""


def clean(spec: WorldSpec) -> WorldSpec:
    """The world without dirt, which its dirty ones are compared with.

    The model takes no noise for speech, and the caller is as patient as a slow model asks for.
    """
    patience_ms = max(spec.caller.patience_ms, PATIENCE_MS)
    patient = replace(spec, caller=replace(spec.caller, patience_ms=patience_ms))
    return soiled(patient, {"behaviour.speech_dbfs": SPEECH_DBFS})


def soiled(spec: WorldSpec, switches: Switches) -> WorldSpec:
    """A world with other switches. How long its model thinks is known, as of each real model
    (`agent.gemini.quirks`).
    """
    line = {name[5:]: value for name, value in switches.items() if name.startswith("line.")}
    model = {name[10:]: value for name, value in switches.items() if name.startswith("behaviour.")}
    behaviour = replace(spec.behaviour, **model)  # type: ignore[arg-type]  # named by its fields
    usual_ms = sum(behaviour.think_ms) // 2 if "think_ms" in model else spec.think_ms
    return replace(
        spec,
        line=replace(spec.line, **line),  # type: ignore[arg-type]  # as above
        behaviour=behaviour,
        think_ms=usual_ms,
    )
