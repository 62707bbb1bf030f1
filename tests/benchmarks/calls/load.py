"""Calls to one server, from a process of their own, and what was measured of them as JSON.

    python -m tests.benchmarks.calls.load --url … --pid … --gemini-port … --cert-dir … --calls 50

Talking: every ten seconds of a call the caller speaks for four, the agent answers for four, and
nobody speaks for two; the calls are spread evenly over these ten. Talked over: a reply is
interrupted 200 to 600 ms after its first audio, again and again.
"""

import argparse
import asyncio
import json
import random
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import uvloop

from agent.simulator.voice import clip
from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.simulator.ear import is_loud
from tests.benchmarks.calls import heard
from tests.benchmarks.calls.model_side import (
    INTERRUPTED,
    TURN_COMPLETE,
    ModelSession,
    ModelSide,
    encoded_end,
    encoded_reply,
    encoded_words,
    listening,
)
from tests.benchmarks.calls.phone_side import PhoneStream, encoded_frames
from tests.benchmarks.calls.placing import Placed, placed
from tests.benchmarks.calls.timing import LagWatch, Latency, Sample, latency, now_ms

CYCLE_MS = 10_000
SPEAKS_MS = 4_000
ANSWER_AT_MS = 4_600
WARM_MS = 5_000
SETTLE_MS = 100
"""From a stream's start to its first frame; after 400 ms a server may fill in silence."""

PLACING_MS = 300
"""What placing a call may take; the first ones talk longer by as much for each that follows."""

GREETED_MS = 2_000

GREETING = encoded_reply(clip("agent/still-here").pcm[: 24_000 * 2], "I am here.")
REPLY_PCM = clip("agent/times").pcm[: SPEAKS_MS * 24 * 2]
REPLY = encoded_reply(REPLY_PCM, clip("agent/times").text)
LONG_REPLY = encoded_reply(clip("agent/times").pcm[: 3_000 * 24 * 2], clip("agent/times").text)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--gemini-port", type=int, required=True)
    parser.add_argument("--cert-dir", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--barge-ins", type=int, default=0)
    parser.add_argument("--watched", type=int, default=0, help="1: the server counts its blocks")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure(parser.parse_args()))))  # noqa: T201 - its output


async def measure(given: argparse.Namespace) -> dict[str, object]:
    """Run the load that was asked for, against a server that listens already."""
    cert, key = given.cert_dir / "cert.pem", given.cert_dir / "key.pem"
    lag = LagWatch()
    async with listening(given.gemini_port, cert, key) as model, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(lag.run())
        await warm_up(given.url, model)
        if given.barge_ins:
            told = await barge_ins(given.url, model, given.barge_ins, lag)
        else:
            told = await talk(given, model, lag)
        watching.cancel()
    return told | {"lag_most_ms": round(lag.most_ms, 1)}


async def warm_up(url: str, model: ModelSide) -> None:
    """One call, for what a process does once."""
    async with placed(url, model) as call:
        await answer_greeting(call)
        await asyncio.sleep(1)
        await answer(call)
        await asyncio.sleep(1)


# Talking.


@dataclass(frozen=True, slots=True)
class Talked:
    """A call, and all that its caller says."""

    call: Placed
    ulaw: bytes

    @property
    def answers_ms(self) -> list[float]:
        """When the first audio of each answer was sent; the first reply is the greeting."""
        return self.call.model.replied[1:]


async def talk(given: argparse.Namespace, model: ModelSide, lag: LagWatch) -> dict[str, object]:
    """So many calls at once; what they cost, and how late everything was."""
    calls, seconds, server = given.calls, given.seconds, psutil.Process(given.pid)
    idle_bytes = server.memory_info().rss
    talking: list[Talked] = []
    async with asyncio.TaskGroup() as tasks:
        running = []
        for n in range(calls):
            going_on = asyncio.Event()
            offset_ms = n * CYCLE_MS // calls
            length_ms = WARM_MS + seconds * 1000 + (calls - n) * PLACING_MS
            one = live(given.url, model, offset_ms, length_ms, talking, going_on)
            running.append(tasks.create_task(one))
            await going_on.wait()
        await asyncio.sleep(WARM_MS / 1000)
        if given.watched:
            server.send_signal(signal.SIGUSR1)
            running.append(tasks.create_task(keep_arriving(given.url, model)))
        began_ms, began_s, own_s = now_ms(), cpu_s(server), cpu_s(psutil.Process())
        await asyncio.sleep(seconds)
        ended_ms, ended_s, own_ended_s = now_ms(), cpu_s(server), cpu_s(psutil.Process())
        rss_bytes = server.memory_info().rss
        if given.watched:
            server.send_signal(signal.SIGUSR2)
        for task in running:
            task.cancel()
    call_seconds = calls * (ended_ms - began_ms) / 1000
    window = (began_ms, ended_ms)
    up_samples = [s for one in talking for s in uplink(one, window)]
    down_samples = [s for one in talking for s in downlink(one, window)]
    gaps_ms = [gap for one in talking for gap in one.call.phone.gaps_ms]
    first = talking[0]
    return {
        "calls": calls,
        "cpu_ms_per_call_second": (ended_s - began_s) * 1000 / call_seconds,
        "load_cpu_ms_per_call_second": (own_ended_s - own_s) * 1000 / call_seconds,
        "rss_mb": rss_bytes / 1e6,
        "rss_mb_per_call": (rss_bytes - idle_bytes) / 1e6 / calls,
        "uplink": shown(latency(up_samples, lag)),
        "downlink": shown(latency(down_samples, lag)),
        "replies": sum(len(one.answers_ms) for one in talking),
        "gaps": len(gaps_ms),
        "longest_gap_ms": max(gaps_ms, default=0.0),
        "pesq": heard.scores(first.ulaw, bytes(first.call.model.kept), REPLY_PCM, reply_of(first)),
    }


async def live(
    url: str,
    model: ModelSide,
    offset_ms: int,
    length_ms: int,
    talking: list[Talked],
    going_on: asyncio.Event,
) -> None:
    """Live one call until it is cancelled, or has no more frames."""
    ulaw = caller_audio(offset_ms, length_ms)
    async with placed(url, model) as call, asyncio.TaskGroup() as tasks:
        first_ms = now_ms() + SETTLE_MS
        call.model.keeps = not talking
        talking.append(Talked(call, ulaw))
        going_on.set()
        tasks.create_task(call.phone.talk(encoded_frames(call.stream_sid, ulaw), first_ms))
        await answer_greeting(call)
        for due_ms in range(ANSWER_AT_MS - offset_ms, length_ms, CYCLE_MS):
            if due_ms > GREETED_MS:
                await asyncio.sleep((first_ms + due_ms - now_ms()) / 1000)
                await answer(call)


async def keep_arriving(url: str, model: ModelSide) -> None:
    """One short call after another: what a call's beginning and end block, others feel."""
    while True:
        async with placed(url, model) as call:
            await answer_greeting(call)
            await asyncio.sleep(1)


async def answer_greeting(call: Placed) -> None:
    """Greet, once asked to."""
    await call.model.greeted.wait()
    await say(call, GREETING)


async def answer(call: Placed) -> None:
    """Answer the caller."""
    await call.model.send(encoded_words("Is it far from the station?"))
    await say(call, REPLY)


async def say(call: Placed, messages: Sequence[str]) -> None:
    """One whole reply, and what follows it."""
    call.phone.new_reply()
    await call.model.reply(messages)
    for message in encoded_end():
        await call.model.send(message)


def uplink(one: Talked, window: tuple[float, float]) -> list[Sample]:
    """From each frame of speech to when all of it was on Gemini's socket.

    Resamplers hold up to 2 ms back, or lose it once: a frame counts as there when no more than
    that is missing.
    """
    held_back = 2 * 16
    per_frame = 2 * FRAME_SAMPLES
    received = iter(one.call.model.received)
    samples: list[Sample] = []
    at_ms, total = next(received, (0.0, 0))
    for n, sent_ms in enumerate(one.call.phone.sent):
        while total < (n + 1) * per_frame - held_back:
            following = next(received, None)
            if following is None:
                return samples
            at_ms, total = following
        frame = one.ulaw[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES]
        if window[0] <= sent_ms < window[1] and is_loud(frame):
            samples.append(Sample(sent_ms, at_ms))
    return samples


def downlink(one: Talked, window: tuple[float, float]) -> list[Sample]:
    """From each reply's first audio to the first media of it."""
    media = iter(one.call.phone.media)
    samples: list[Sample] = []
    for began_ms in one.answers_ms:
        first_ms = next((at_ms for at_ms, _ in media if at_ms >= began_ms), None)
        if first_ms is not None and window[0] <= began_ms < window[1]:
            samples.append(Sample(began_ms, first_ms))
    return samples


def reply_of(one: Talked) -> bytes:
    """What the phone was sent of the call's first answer: µ-law."""
    phone, at = one.call.phone, 0
    for at_ms, size in phone.media:
        if at_ms >= one.answers_ms[0]:
            return bytes(phone.heard[at : at + SPEAKS_MS * PHONE_SAMPLES_PER_MS])
        at += size
    return b""


def caller_audio(offset_ms: int, length_ms: int) -> bytes:
    """What a caller says from `offset_ms` of the cycle on: µ-law, with a line's faint noise."""
    noise = np.random.default_rng(1).choice([-8, 0, 0, 8], CYCLE_MS * PHONE_SAMPLES_PER_MS)
    cycle = noise.astype("<i2")
    words = b"".join(clip(f"caller/q{n}").pcm for n in (1, 2, 3, 4, 5))
    spoken = np.frombuffer(words, "<i2")[: SPEAKS_MS * PHONE_SAMPLES_PER_MS]
    cycle[: len(spoken)] += spoken
    begin = offset_ms * PHONE_SAMPLES_PER_MS
    whole = np.tile(cycle, 2 + (offset_ms + length_ms) // CYCLE_MS)
    if ANSWER_AT_MS - offset_ms <= GREETED_MS:  # `live` does not answer, so nothing is asked
        whole[: SPEAKS_MS * PHONE_SAMPLES_PER_MS] = noise[: SPEAKS_MS * PHONE_SAMPLES_PER_MS]
    return g711.encode(whole[begin : begin + length_ms * PHONE_SAMPLES_PER_MS].tobytes())


# Talked over.


async def barge_ins(url: str, model: ModelSide, rounds: int, lag: LagWatch) -> dict[str, object]:
    """One call whose replies are all interrupted; how late the clears were."""
    draw = random.Random(1)
    samples: list[Sample] = []
    async with placed(url, model) as call, asyncio.TaskGroup() as tasks:
        silence = caller_audio(SPEAKS_MS, CYCLE_MS - SPEAKS_MS) * (1 + rounds // 5)
        frames = encoded_frames(call.stream_sid, silence)
        talking = tasks.create_task(call.phone.talk(frames, now_ms() + SETTLE_MS))
        await answer_greeting(call)
        await asyncio.sleep(GREETED_MS / 1000)
        for _ in range(rounds):
            sample = await barge_in(call.phone, call.model, draw.uniform(200, 600))
            samples += [sample] if sample else []
        talking.cancel()
    return {
        "barge_ins": rounds,
        "cleared": len(samples),
        "clears": len(call.phone.clears),
        "clear": shown(latency(samples, lag)),
    }


async def barge_in(phone: PhoneStream, model: ModelSession, after_ms: float) -> Sample | None:
    """A reply, and its interruption; None if no clear came within a second."""
    phone.new_reply()
    phone.cleared.clear()
    async with asyncio.TaskGroup() as tasks:
        replying = tasks.create_task(model.reply(LONG_REPLY))
        await asyncio.sleep(after_ms / 1000)
        replying.cancel()
    at_ms = await model.send(INTERRUPTED)
    try:
        async with asyncio.timeout(1):
            await phone.cleared.wait()
    except TimeoutError:
        return None
    finally:
        await model.send(TURN_COMPLETE)
    await asyncio.sleep(0.1)
    return Sample(at_ms, phone.clears[-1])


def cpu_s(process: psutil.Process) -> float:
    """CPU time of a process and of all it started."""
    tree = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in tree)


def shown(figures: Latency) -> dict[str, object]:
    """For JSON."""
    return asdict(figures) | {"valid": figures.valid}


if __name__ == "__main__":
    main()
