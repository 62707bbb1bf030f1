"""The corpus of the ear: 504 callers who talk over the agent, and 504 who only seem to. Pure.

Each case is a call in which the agent says one long sentence. In half of the cases it has said it
all long before it is heard, and its turn at the model's server is over: then no `interrupted` will
come. All sound is made here, from the clips of the simulators' voices and from seeded noise, so the
corpus may go wherever the code goes.

Half of it (`Case.held_out`, by hash) was never used to choose a figure of the ear.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from itertools import cycle, islice
from random import Random

import numpy as np

from agent.conversation.persona import Manner
from agent.simulator.behaviour import EXACT
from agent.simulator.script import Script as AgentScript
from agent.simulator.voice import clip, texts
from telephony.audio.formats import PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import encode
from telephony.simulator.faults import Background, LineFaults
from telephony.simulator.network import Network
from telephony.simulator.script import HangUp, Script, Step, Utterance
from telephony.simulator.surroundings import VOICE_DBFS, Samples
from telephony.simulator.world_agent import WorldBargeIn
from telephony.simulator.world_spec import WorldSpec

SPEECH_DBFS = -31.0
"""What the model of a barge-in takes for speech: more than what is behind the caller."""

NEAR = Network(twilio_ms=(0, 0))
"""No way between Twilio and us: the caller hears what is ours of a delay, and the 5 to 50 ms that
Twilio takes for a message (`LineFaults.processing_ms`)."""

LONG = "times"
"""What the agent says: 11.5 s."""

EACH = 504
"""So many cases that are a barge-in, and so many that are none."""

BEGINS_MS = (600, 8_500)
"""When the caller begins, after the agent does."""

DEAF_DBFS = -8.0
"""What the model of a case takes for speech that has none: it hears nothing, and the ear decides
alone."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call.

    Args:
        name: `barge-in` or what the sound is, and a number.
        at_ms: When it begins, after the agent is heard; None for a sound that never ends.
        sound: What the caller says: PCM16, 8 kHz; its first sample is its onset.
        line: What else is heard on the line.
        over: Whether the turn is over at the server when the caller begins.
        seed: Of everything random in the call.
    """

    name: str
    at_ms: int | None
    sound: bytes
    line: LineFaults
    over: bool
    seed: int

    @property
    def kind(self) -> str:
        """The name without its number."""
        return self.name.rpartition(" ")[0]

    @property
    def barge_in(self) -> bool:
        """Whether the caller talks over the agent."""
        return self.kind.startswith("barge-in")

    @property
    def held_out(self) -> bool:
        """Whether it is in the half that was never used for tuning."""
        return sha256(self.name.encode()).digest()[0] % 2 == 1

    def spec(self, manner: Manner) -> WorldSpec:
        """The call as a world, whose agent is talked over in this manner."""
        says = Utterance(self.kind, "", encode(self.sound))
        steps = [] if self.at_ms is None else [Step(barge_in_ms=self.at_ms, deed=says)]
        caller = Script((*steps, Step(wait_for_agent=True, after_ms=2_500, deed=HangUp())))
        behaviour = replace(
            EXACT,
            turn_complete_at="last audio" if self.over else "playback end",
            speech_dbfs=SPEECH_DBFS if self.barge_in else DEAF_DBFS,
        )
        return WorldSpec(
            caller=caller,
            model=AgentScript((), greeting=LONG),
            behaviour=behaviour,
            line=self.line,
            network=NEAR,
            barge_in=WorldBargeIn(manner),
            seed=self.seed,
        )


def corpus() -> tuple[Case, ...]:
    """Every case, the same each time."""
    return (*_barge_ins(), *_others())


def _barge_ins() -> Iterator[Case]:
    words = sorted(name for name in texts() if name.startswith("caller/"))
    behind = cycle(_BEHIND)
    for number, name in enumerate(islice(cycle(words), EACH)):
        rng = Random(f"barge-in {number}")
        what, line = next(behind)
        yield Case(
            name=f"barge-in, {what} {number}",
            at_ms=rng.randint(*BEGINS_MS),
            sound=_at(_spoken(name), rng.uniform(-8, 0) + VOICE_DBFS),
            line=line(rng),
            over=number // len(_BEHIND) % 2 == 1,
            seed=number,
        )


def _others() -> Iterator[Case]:
    kinds = cycle(_OTHERS)
    for number in range(EACH):
        rng = Random(f"other {number}")
        kind, sound, line = next(kinds)
        heard = sound(rng)
        yield Case(
            name=f"{kind} {number}",
            at_ms=rng.randint(*BEGINS_MS) if len(heard) else None,
            sound=_at(heard, rng.uniform(-10, -2) + VOICE_DBFS) if len(heard) else b"",
            line=line(rng),
            over=number // len(_OTHERS) % 2 == 1,
            seed=number,
        )


def _quiet(_: Random) -> LineFaults:
    return LineFaults()


def _noise(kind: Background, least_db: float, most_db: float) -> Callable[[Random], LineFaults]:
    def drawn(rng: Random) -> LineFaults:
        return LineFaults(background=kind, background_db=rng.uniform(least_db, most_db))

    return drawn


def _echo(least_db: float, most_db: float) -> Callable[[Random], LineFaults]:
    return lambda rng: LineFaults(
        echo_db=rng.uniform(least_db, most_db), echo_ms=rng.randint(120, 300)
    )


_BEHIND: tuple[tuple[str, Callable[[Random], LineFaults]], ...] = (
    ("quiet line", _quiet),
    ("room", _noise("room", 18, 26)),
    ("quiet line", _quiet),
    ("murmur", _noise("murmur", 18, 26)),
    ("echo", _echo(20, 32)),
    ("comfort noise", _noise("comfort", 25, 40)),
)
"""What is heard behind callers who talk over the agent."""


def cough(rng: Random) -> Samples:
    """One to three coughs: a burst of breath, and what follows it, through a throat."""
    parts: list[Samples] = []
    for _ in range(rng.randint(1, 3)):
        burst = _breath(rng, rng.randint(40, 70), decay=0.6)
        tail = _breath(rng, rng.randint(100, 220), decay=4.0) * 0.5
        hum = _voice(rng, len(tail) // PHONE_SAMPLES_PER_MS, rng.uniform(110, 200))
        tail = tail + hum * rng.uniform(0, 0.25) * np.linspace(1, 0, len(tail))
        parts += [burst, tail, np.zeros(rng.randint(120, 300) * PHONE_SAMPLES_PER_MS)]
    return np.concatenate(parts[:-1])


def mhm(rng: Random) -> Samples:
    """ "Mhm": two hummed syllables with a breath between them, 250 to 400 ms."""
    hz, first = rng.uniform(100, 240), rng.randint(90, 150)
    gap, second = rng.randint(20, 60), rng.randint(120, 200)
    return np.concatenate(
        [
            _swell(_voice(rng, first, hz)),
            _breath(rng, gap, decay=1.0) * 0.05,
            _swell(_voice(rng, second, hz * rng.uniform(0.8, 1.3))),
        ]
    )


def _nothing(_: Random) -> Samples:
    return np.zeros(0)


_OTHERS: tuple[
    tuple[str, Callable[[Random], Samples], Callable[[Random], LineFaults]],
    ...,
] = (
    ("cough", cough, _quiet),
    ("mhm", mhm, _quiet),
    ("television", _nothing, _noise("murmur", 15, 15)),
    ("cough", cough, _noise("room", 18, 26)),
    ("mhm", mhm, _noise("room", 18, 26)),
    ("pink noise at -29 dBFS", _nothing, _noise("room", 9, 9)),
    ("white noise at -29 dBFS", _nothing, _noise("comfort", 9, 9)),
    ("echo at -20 dB", _nothing, _echo(20, 20)),
)
"""What is no barge-in: the sound that the caller makes, and what is heard on the line."""

KINDS = tuple(
    dict.fromkeys([*(f"barge-in, {what}" for what, _ in _BEHIND), *(o[0] for o in _OTHERS)])
)
"""The kinds of cases, those in which the caller talks over the agent first."""


@cache
def _spoken(name: str) -> Samples:
    """A clip of the caller's, from its onset on: where it comes within 25 dB of its own level."""
    pcm = np.frombuffer(clip(name).pcm, dtype="<i2").astype(np.float64)
    step = 5 * PHONE_SAMPLES_PER_MS
    frames = pcm[: len(pcm) // step * step].reshape(-1, step)
    loud = np.sqrt(np.mean(frames**2, axis=1))
    active = np.sqrt(np.mean(loud[loud > loud.max() / 10] ** 2))
    return pcm[int(np.argmax(loud > active * 10 ** (-25 / 20))) * step :]


def _at(sound: Samples, dbfs: float) -> bytes:
    """A sound at a level, that of its loud parts, as PCM16."""
    loud = sound[np.abs(sound) > np.abs(sound).max() / 10]
    scaled = sound * 32_768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(loud**2))
    return bytes(scaled.clip(-32_768, 32_767).astype("<i2").tobytes())


def _breath(rng: Random, length_ms: int, decay: float) -> Samples:
    """Noise through a throat with a broad formant, that dies away."""
    samples = length_ms * PHONE_SAMPLES_PER_MS
    spectrum = np.fft.rfft(np.random.default_rng(rng.getrandbits(32)).standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / PHONE_RATE_HZ)
    formant = 1 / (1 + ((hz - rng.uniform(700, 1_800)) / rng.uniform(400, 900)) ** 2)
    return np.fft.irfft(spectrum * formant, samples) * np.exp(-decay * np.linspace(0, 1, samples))


def _voice(rng: Random, length_ms: int, hz: float) -> Samples:
    """A hum: the harmonics of a voice behind closed lips, its pitch a little unsteady."""
    at_s = np.arange(length_ms * PHONE_SAMPLES_PER_MS) / PHONE_RATE_HZ
    unsteady = 1 + 0.02 * np.sin(2 * np.pi * rng.uniform(3, 7) * at_s + rng.uniform(0, 6))
    phase = 2 * np.pi * hz * np.cumsum(unsteady) / PHONE_RATE_HZ
    return sum(
        (np.sin(n * phase) / n / (1 + (n * hz / 500) ** 2) for n in range(1, 12)),
        np.zeros(len(at_s)),
    )


def _swell(sound: Samples) -> Samples:
    return sound * np.hanning(len(sound)) ** 0.5
