"""The calls that carry the prompts: a real server process between both simulators.

Each call: the model greets; the caller asks for a row of prompts with a cue of their own; the model
says it, 24 kHz; then the caller says the same row, while the model is silent. So nobody is
interrupted, which would cut the audio.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.simulator.behaviour import Behaviour
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from telephony.audio.formats import MODEL_OUT_RATE_HZ, PHONE_RATE_HZ
from telephony.audio.resample import resample_whole
from telephony.audio.wav import write_mono
from telephony.simulator import script as caller
from telephony.simulator.caller import call
from telephony.simulator.report import CallEvent, Report, StreamOpened
from tests.benchmarks.quality.judge import in_a_row
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, worker_process

CUES = ("q1", "q2", "q3", "q4")
"""A call each. More at once, and the simulators, which share one process, come late themselves."""

BEAT_MS = 10

THINK_MS = 1_600
"""Longer than any pause within a prompt, so that the model never talks into one."""


class CallSpoiltError(Exception):
    """A call did not go as planned, so its audio tells nothing about quality. `stall_ms` as from
    `carry`.
    """

    def __init__(self, problem: str, stall_ms: float = 0.0) -> None:
        super().__init__(problem)
        self.stall_ms = stall_ms


@dataclass(frozen=True, slots=True)
class Recording:
    """What one call left at both ends: PCM16 little-endian, mono.

    Args:
        at_model: All that Gemini received, 16 kHz.
        at_caller: All that the caller heard, 8 kHz.
    """

    at_model: bytes
    at_caller: bytes


class Beat:
    """How late this process was itself, once all streams are open: the simulators live in it, and
    stall with it. Before that, placing the calls keeps it busy, and there is no audio to suffer.

    Args:
        streams: How many will open.
    """

    def __init__(self, streams: int) -> None:
        self.longest_stall_ms = 0.0
        self._to_open = streams
        self._open = asyncio.Event()

    def note(self, event: CallEvent) -> None:
        """Something happened in a call."""
        if isinstance(event, StreamOpened):
            self._to_open -= 1
            if self._to_open == 0:
                self._open.set()

    async def watch(self) -> None:
        """Look every `BEAT_MS`, until cancelled."""
        await self._open.wait()
        clock = asyncio.get_running_loop().time
        while True:
            due_s = clock() + BEAT_MS / 1000
            await asyncio.sleep(BEAT_MS / 1000)
            self.longest_stall_ms = max(self.longest_stall_ms, (clock() - due_s) * 1000)


async def carry(rows: Sequence[Sequence[bytes]], folder: Path) -> tuple[list[Recording], float]:
    """Send each row of prompts (PCM16, 8 kHz) both ways over a call of its own, all at once.

    Args:
        rows: As many as there are `CUES`.
        folder: For the WAV files that both simulators say.

    Returns:
        The calls' recordings, and the longest stall of this process while they had streams, in ms.

    Raises:
        CallSpoiltError: A call failed, or somebody was interrupted.
    """
    cued, beat = dict(zip(CUES, rows, strict=True)), Beat(len(CUES))
    for cue, row in cued.items():
        pcm = in_a_row(row)
        write_mono(folder / f"{cue}-8k.wav", pcm, PHONE_RATE_HZ)
        wide = resample_whole(pcm, PHONE_RATE_HZ, MODEL_OUT_RATE_HZ)
        write_mono(folder / f"{cue}-24k.wav", wide, MODEL_OUT_RATE_HZ)
    turns = tuple(Turn(str(folder / f"{cue}-24k.wav"), expect=cue) for cue in cued)
    server = GeminiServer(
        Script(turns, greeting="still-here"),
        Behaviour(think_ms=(THINK_MS, THINK_MS)),
        keep_audio=True,
    )
    async with (
        SimulatedGemini(server) as gemini,
        worker_process(gemini) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        watching = tasks.create_task(beat.watch())
        answers = await asyncio.gather(*(_place(cue, worker.url, folder, beat) for cue in cued))
        watching.cancel()
    received = _received(server)
    try:
        recordings = [
            _recording(cue, report, received) for cue, report in zip(cued, answers, strict=True)
        ]
    except CallSpoiltError as spoilt:
        raise CallSpoiltError(str(spoilt), beat.longest_stall_ms) from None
    return recordings, beat.longest_stall_ms


async def _place(cue: str, url: str, folder: Path, beat: Beat) -> Report:
    # The agent is quiet only when it has been so for longer than any pause in a row of prompts.
    steps = f"""
        quiet_ms = 2000
        [[steps]]
        wait = "agent"
        say = "{cue}"
        [[steps]]
        wait = "agent"
        say = "{cue}-8k.wav"
        [[steps]]
        after_ms = 500
        hang_up = true
    """
    script = caller.parse(steps, folder)
    return await call([url], PUBLIC_URL, AUTH_TOKEN, ACCOUNT_SID, script, on_event=beat.note)


def _received(server: GeminiServer) -> Mapping[str | None, bytes]:
    """What each session received, by the cue it heard first."""
    return {
        session.heard[0].phrase: session.received_pcm
        for session in server.sessions
        if session.heard
    }


def _recording(cue: str, report: Report, received: Mapping[str | None, bytes]) -> Recording:
    spoilt = [*report.problems, *(f"a clear at {clear.at_ms} ms" for clear in report.clears)]
    if len(report.turns) != 2:
        heard = ", ".join(f"{turn.started_ms} to {turn.ended_ms} ms" for turn in report.turns)
        spoilt.append(f"expected the agent to speak twice, got: {heard or 'never'}")
    if cue not in received:
        spoilt.append("the model did not understand the cue")
    if spoilt:
        raise CallSpoiltError(f"the call cued by {cue!r} is spoilt: {'; '.join(spoilt)}")
    return Recording(received[cue], report.heard_pcm())
