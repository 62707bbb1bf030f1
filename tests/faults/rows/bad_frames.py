"""Row 27: one in a hundred of Twilio's frames is malformed."""

import time
from collections.abc import Iterator, Sequence
from random import Random
from unittest import mock

from structlog.testing import CapturingLogger

from agent.conversation.persona import DEFAULT_PERSONA
from agent.simulator.behaviour import EXACT
from telephony.audio.formats import ULAW_SILENCE
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, Event, StreamStarted
from telephony.call.machine import Call
from telephony.server import narrator
from telephony.server.measuring import Measuring
from telephony.server.narrator import Narrator
from telephony.simulator import wire
from telephony.simulator.world import World
from telephony.simulator.world_faults import SendFrame
from telephony.twilio.messages import Connected, Start, parse
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import scenarios

SEEDS = 200
FRAMES = 20_000
EVERY_MS = 2_000
"""Of fifty frames a second, one in a hundred."""

STREAM = "MZ" + "0" * 32
BAD = (
    "{",
    '"media"',
    '{"event":"dance"}',
    '{"event":"media"}',
    '{"event":"media","streamSid":7,"media":{"payload":[]}}',
    f'{{"event":"media","streamSid":"{STREAM}","media":{{"payload":"a-b_c","timestamp":"1"}}}}',
    f'{{"event":"media","streamSid":"{STREAM}","media":{{"payload":"abc","timestamp":"1"}}}}',
    f'{{"event":"mark","streamSid":"{STREAM}","mark":{{"name":7}}}}',
    '{"event":"media","media":' + "[" * 5_000,
)


def measure(share: float) -> Sequence[Figure]:
    """Whole calls in virtual time; and what the frames cost."""
    seeds = range(scaled(SEEDS, share))
    worlds = [(_lived(seed, bad=True), _lived(seed, bad=False)) for seed in seeds]
    lost = sum(_came_to(bad) != _came_to(good) for bad, good in worlds)
    good_s, bad_s = _cpu_s(scaled(FRAMES, share, least=2_000))
    more = 100 * (bad_s / good_s - 1)
    logged = [_logged_ms(bad) for bad, _ in worlds]
    return [
        Figure("calls", len(worlds), None),
        Figure("that did not come to the same as without", lost, exactly(0)),
        Figure("log lines", sum(map(len, logged)), None),
        Figure("of a call in its worst second", max(map(_most_a_second, logged)), at_most(1)),
        Figure("CPU more than without", more, at_most(10), "%", wall_time=True),
    ]


def _lived(seed: int, *, bad: bool) -> World:
    rng = Random(seed)
    frames = [(at_ms, SendFrame(rng.choice(BAD))) for at_ms in range(500, 30_000, EVERY_MS)]
    return scenarios.world(scenarios.questions("q1", "q2"), seed, EXACT, *(frames if bad else ()))


def _came_to(world: World) -> object:
    said = [(line.role, line.text, line.heard) for line in world.store.lines]
    ended = world.worker.ended
    return said, None if ended is None else ended.reason is EndedReason.CALLER_HANGUP


def _logged_ms(world: World) -> list[int]:
    """When a line about a frame was logged."""
    with mock.patch.object(narrator, "log", CapturingLogger()) as log:
        narrate = Narrator(Measuring())
        for step in world.steps:
            narrate("CA1", step.event, step.at_ms, step.commands)
    return [call.kwargs["at_ms"] for call in log.calls if call.args == ("message ignored",)]


def _most_a_second(times_ms: Sequence[int]) -> int:
    return max(sum(at <= other < at + 1_000 for other in times_ms) for at in times_ms)


def _cpu_s(frames: int) -> tuple[float, float]:
    """What it costs to take so many frames, all of them good, and with bad ones; the least of 5."""
    good = [wire.media(n, STREAM, n, 20 * n, ULAW_SILENCE * 160) for n in range(1, frames + 1)]
    bad = [BAD[n // 100 % len(BAD)] if n % 100 == 0 else frame for n, frame in enumerate(good)]
    runs = [(_taken_s(good), _taken_s(bad)) for _ in range(5)]
    return min(good_s for good_s, _ in runs), min(bad_s for _, bad_s in runs)


def _taken_s(frames: Sequence[str]) -> float:
    beginning = CallOpened("CA1", 1, 0, DEFAULT_PERSONA)
    call = Call(beginning)
    call.step(beginning, 0)
    call.step(StreamStarted(STREAM, 1), 0)
    narrate = Narrator(Measuring())
    with mock.patch.object(narrator, "log", CapturingLogger()):
        began_s = time.process_time()
        for n, frame in enumerate(frames, start=1):
            for event in _read(frame):
                narrate("CA1", event, 20 * n, call.step(event, 20 * n))
        return time.process_time() - began_s


def _read(frame: str) -> Iterator[Event]:
    message = parse(frame)
    if not isinstance(message, Connected | Start):
        yield message


ROWS = (Row(27, "1 % of Twilio's frames are malformed", measure),)
