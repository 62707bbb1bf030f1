"""Breaks Gemini's socket at one moment of the second question or its answer."""

from dataclasses import dataclass
from functools import cache
from random import Random

from agent.conversation.events import GenerationComplete, ReplyAudio
from agent.simulator.faults import Close, Reset
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.network import GOOD
from telephony.simulator.world import World
from telephony.simulator.world_faults import WorldFault
from tests.worlds import judge, scenarios, seams

MOMENTS = ("silence", "utterance", "thinking", "generating", "playing")
"""`playing`: a reply that was fully received is heard."""

PATIENCE_MS = 1_000
"""Of a caller who heard the first word of an answer, and then nothing for 1.5 s: one who is sooner
talks over the answer when it comes again, which is another fault."""

WORD_FRAMES = 8
"""A shorter piece of speech is no word."""

NETWORK_MS = 60
"""An event is this much later here than at the server, at most, and a fault as much earlier."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The same call with and without the loss."""

    moment: str
    at_ms: int
    world: World
    uncut: World
    asked: tuple[str, ...]

    @property
    def answer(self) -> str:
        """The clip that answers the question at which it happened."""
        return scenarios.ANSWERS[self.asked[1]]

    @property
    def delay_ms(self) -> int:
        """By how much the whole answer was heard to its end later than without the loss."""
        return ended_ms(self.world, self.answer) - ended_ms(self.uncut, self.answer)

    @property
    def lines_wrong(self) -> int:
        """How many lines differ from the uncut call's, or are out of order.

        What was heard of an answer that was broken off is a line before that of its rest, or, if it
        was said anew, of the whole answer.
        """
        kept: list[tuple[str, str, str]] = []
        for line in self.world.store.lines:
            role, text, heard = line.role, line.text, line.heard
            if role == "agent" and kept and kept[-1][0] == "agent":
                _, before, heard_before = kept.pop()
                if not text.startswith(before):
                    text, heard = f"{before} {text}", f"{heard_before} {heard}"
            kept.append((role, text, heard))
        expected = [(line.role, line.text, line.heard) for line in self.uncut.store.lines]
        wrong = sum(line != other for line, other in zip(kept, expected, strict=False))
        return wrong + abs(len(kept) - len(expected)) + len(self.world.store.complaints)

    @property
    def said_wrong(self) -> int:
        """How many answers are missing, doubled, in another order, or lack as much as a word."""
        expected = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in self.asked)]
        heard = seams.said(self.world)
        lacking = sum(said.lost_frames >= WORD_FRAMES for said in heard)
        return lacking + ([said.name for said in heard] != expected)

    @property
    def most_late_ms(self) -> int:
        """What is allowed where the answer has to be asked for again: the handshake's six ways over
        the network, the setup, one thought, and 400 ms.
        """
        handshake_ms = 6 * GOOD.gemini_ms[1]
        return handshake_ms + scenarios.ROW.setup_ms[1] + scenarios.ROW.think_ms[1] + 400

    @property
    def ready_ms(self) -> int:
        """From the loss, as it was seen here, to the next session's `SessionReady`."""
        names = [(type(step.event).__name__, step.at_ms) for step in self.world.steps]
        lost_ms = next(at_ms for name, at_ms in names if name == "SessionLost")
        return next(ms for name, ms in names if name == "SessionReady" and ms > lost_ms) - lost_ms


@cache
def lose(moment: str, seed: int) -> Loss:
    """Run a call twice: as it is, and with the socket lost at a random instant of `moment`."""
    rng = Random(f"{moment} {seed}")
    asked = tuple(rng.sample(scenarios.QUESTIONS, 3))
    script = scenarios.questions(*asked, after_ms=PATIENCE_MS)
    uncut = scenarios.world(script, seed, scenarios.ROW)
    first, last = window_ms(moment, uncut, scenarios.ANSWERS[asked[0]])
    at_ms = rng.randint(first, last)
    faults: list[WorldFault] = [Reset(), Close()]
    fault = (at_ms, rng.choice(faults))
    return Loss(
        moment,
        at_ms,
        scenarios.world(script, seed, scenarios.ROW, fault),
        uncut,
        asked,
    )


def window_ms(moment: str, uncut: World, answer_before: str) -> tuple[int, int]:
    """When that is, at the second question."""
    said_ms, question = uncut.phone.said[1]
    end_ms = said_ms + question.duration_ms
    audio_ms = next(
        s.at_ms for s in uncut.steps if isinstance(s.event, ReplyAudio) and s.at_ms > end_ms
    )
    complete_ms = next(
        s.at_ms for s in uncut.steps if isinstance(s.event, GenerationComplete) and s.at_ms > end_ms
    )
    heard_ms = next(r for r in judge.replies(uncut) if r.spans[0].at_ms > end_ms)
    return {
        "silence": (ended_ms(uncut, answer_before), said_ms),
        "utterance": (said_ms, end_ms),
        "thinking": (end_ms, audio_ms - NETWORK_MS),
        "generating": (audio_ms - NETWORK_MS // 2, complete_ms - NETWORK_MS),
        "playing": (complete_ms, _end_ms(heard_ms)),
    }[moment]


def ended_ms(world: World, name: str) -> int:
    """When a clip was heard to its end, for the last time."""
    ends_ms = [said.ends_ms for said in seams.said(world) if said.name == name]
    assert ends_ms, f"{name} was never heard"
    return ends_ms[-1]


def _end_ms(reply: judge.Reply) -> int:
    last = reply.spans[-1]
    return last.at_ms + len(last.ulaw) // PHONE_SAMPLES_PER_MS
