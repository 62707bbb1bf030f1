"""`offhook demo` and `offhook try`: server, simulated Gemini and simulated caller in one process.

`run_try` plays the user's own scripts. `run_demo` plays the script that books a table: the caller
talks over the agent once, and Gemini's socket breaks once while the agent speaks. The terminal
shows the call as it happens. Without a script for the agent, the real model answers.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import structlog
from rich.console import Console

from agent.conversation.commands import AppendLine, OpenModel, SaveCheckpoint
from agent.conversation.events import (
    GenerationComplete,
    SessionLost,
    SessionReady,
    UsageReported,
)
from agent.conversation.meter import NANO
from agent.conversation.persona import words_of
from agent.persona.agents import Agents
from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import Reset
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script as AgentScript
from agent.simulator.script import shipped
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import WORDS
from agent.store.base import CallRecord
from telephony import settings
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, Command, EndCall, SendMedia
from telephony.call.events import Event
from telephony.server.app import on_free_port, settle_garbage_collector
from telephony.settings import Settings
from telephony.simulator import script as caller_script
from telephony.simulator.call_view import CallView
from telephony.simulator.caller import call
from telephony.simulator.fault_table import with_switches
from telephony.simulator.interrupt import interruptible
from telephony.simulator.model_settings import model_settings
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.script import Script as CallerScript
from telephony.simulator.terminal import judged, summary, warn
from telephony.simulator.understanding import NOT_UNDERSTOOD, Understanding, book

PUBLIC_URL = "https://demo.example"
AUTH_TOKEN = "the-demo-needs-no-secret"  # noqa: S105 - of a simulated account
ACCOUNT_SID = "AC" + "0" * 32

BROKEN_REPLY = 3
"""Gemini's socket is broken while the caller hears this reply of the agent."""

BROKEN_AFTER_S = 0.7

SEED = 1


NEXT = """
For a real call set GEMINI_API_KEY (Google AI Studio), TWILIO_AUTH_TOKEN (Twilio Console) and
PUBLIC_URL (the https address of this machine, from a tunnel for example), run `offhook serve`, and
point your Twilio number's voice webhook at PUBLIC_URL/twilio/voice. The README has the five steps.
`offhook demo --live` talks to the real model without a number; that costs a few cents."""

SIMULATED = """\
The response time is the simulated model's, which thinks about as long as Gemini was reported to
think. In a real call, the time to reach Twilio and Google comes on top."""


@dataclass(slots=True)
class Bill:
    """What a call has cost so far, in nano-dollars, and the tokens that were billed."""

    cost: int | None = None
    read: int = 0
    heard: int = 0
    answered: int = 0
    thought: int = 0

    def add(self, event: Event, commands: Sequence[Command]) -> None:
        """Look at one step of the call."""
        if isinstance(event, UsageReported):
            self.read += event.prompt_tokens
            self.heard += event.prompt_audio_tokens
            self.answered += event.response_tokens
            self.thought += event.thought_tokens
        for command in commands:
            if isinstance(command, SaveCheckpoint | EndCall):
                self.cost = command.cost

    def __str__(self) -> str:
        usd = "price unknown" if self.cost is None else f"${self.cost / NANO:.4f}"
        return (
            f"cost: {usd} for {self.read} tokens read ({self.heard} of them audio), "
            f"{self.answered} spoken and {self.thought} thought, and for the telephone line"
        )


class Stage:
    """An observer of the server. It prints what the caller cannot see, and breaks the socket."""

    def __init__(
        self, view: CallView, gemini: SimulatedGemini | None, broken_reply: int | None
    ) -> None:
        self.sent: dict[int, bytearray] = {}
        self.bill = Bill()
        self._view = view
        self._gemini = gemini
        self._broken_reply = broken_reply
        self._replies = 0
        self._lost_at_ms: int | None = None
        self._began_s: float | None = None

    def caller_side(self, event: CallEvent) -> None:
        """Print an event of the caller's side, and set this clock by the first one."""
        if self._began_s is None:
            self._began_s = asyncio.get_running_loop().time() - event.at_ms / 1000
        self._view.show(event)

    @property
    def simulated(self) -> bool:
        """Whether the model is simulated."""
        return self._gemini is not None

    def now_ms(self) -> int:
        """The time since the call was placed, in ms."""
        if self._began_s is None:
            return 0
        return int((asyncio.get_running_loop().time() - self._began_s) * 1000)

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Look at one step of the call."""
        del call_sid, now_ms
        self.bill.add(event, commands)
        match event:
            case GenerationComplete():
                self._replies += 1
                if self._replies == self._broken_reply:
                    asyncio.get_running_loop().call_later(BROKEN_AFTER_S, self._break)
            case SessionLost():
                self._lost_at_ms = self.now_ms()
                self._view.line(self._lost_at_ms, "drop", f"Gemini's socket is lost ({event.code})")
            case SessionReady() if self._lost_at_ms is not None:
                took_ms = self.now_ms() - self._lost_at_ms
                self._view.line(
                    self.now_ms(), "resume", f"the conversation goes on, {took_ms} ms later"
                )
                self._lost_at_ms = None
            case _:
                pass
        for command in commands:
            match command:
                case SendMedia() if command.reply != NO_REPLY:
                    self.sent.setdefault(command.reply, bytearray()).extend(command.ulaw)
                case AppendLine() if command.line.role == "agent":
                    line = command.line
                    cut = "" if line.heard == line.text else "  (cut there)"
                    self._view.line(self.now_ms(), "agent", f"was heard: “{line.heard}”{cut}")
                case OpenModel() if self._lost_at_ms is not None:
                    how = "with its handle" if command.handle else "from the transcript"
                    self._view.line(self.now_ms(), "resume", f"Gemini is dialled again, {how}")
                case _:
                    pass

    def _break(self) -> None:
        if self._gemini is not None:
            self._view.line(self.now_ms(), "drop", "Gemini's socket is broken, on purpose")
            self._gemini.inject(Reset())


async def run_demo(
    out: Path,
    *,
    live: bool = False,
    personas: Path | None = None,
    caller: CallerScript | None = None,
    behaviour: Behaviour | None = None,
) -> Report:
    """Run the demo, print the call as it happens, and leave two WAV files in `out`.

    Args:
        out: The folder for the recording; it is created if it does not exist.
        live: Talk with the real model, with the key in GEMINI_API_KEY.
        personas: The persona file of the agent; None for the built-in agent. The simulated model
            uses its greeting, and otherwise follows its script.
        caller: The caller's script; None for the one that books a table.
        behaviour: How the simulated model behaves; None for what was measured.

    Raises:
        FaultError: A switch of `faults` cannot be used.
        SettingsError: The persona file has mistakes, or `live` is true, and the key is missing.
        OSError: The recording cannot be written.
        KeyboardInterrupt: As in `run_try`.
    """
    agent = None if live else shipped("booking")
    report = await run_try(
        agent,
        caller or caller_script.load("booking"),
        out,
        seed=SEED,
        broken_reply=BROKEN_REPLY,
        behaviour=behaviour,
        personas=personas,
    )
    Console(highlight=False).print(NEXT, soft_wrap=True)
    return report


def with_faults(caller: CallerScript, switches: Sequence[str]) -> CallerScript:
    """A caller's script with other switches of Twilio, each as ``name=value``.

    Raises:
        FaultError: A switch or value does not exist.
    """
    return replace(caller, faults=with_switches(caller.faults, switches))


async def run_try(
    agent: AgentScript | None,
    caller: CallerScript,
    out: Path,
    *,
    seed: int,
    broken_reply: int | None = None,
    behaviour: Behaviour | None = None,
    personas: Path | None = None,
) -> Report:
    """Run one call, print it as it happens, and leave two WAV files in `out`.

    Args:
        agent: The simulated model's script; None for the real model, with GEMINI_API_KEY.
        caller: The caller's script.
        out: The folder for the recording; it is created if it does not exist.
        seed: The seed for the random choices of both simulators.
        broken_reply: The number of the reply during which Gemini's socket breaks; None for none.
        behaviour: How the simulated model behaves; None for what was measured.
        personas: The persona file of the agent; None for the built-in agent.

    Raises:
        SettingsError: `agent` is None, and the key is missing.
        OSError: The recording cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed; the caller hung up, and the call was printed.
    """
    console = Console(highlight=False)
    view = CallView(console)
    out.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if agent is None:
        console.print("This call is answered by the real model, and costs a few cents.")
    async with AsyncExitStack() as stack:
        simulated = _simulated(agent, seed, behaviour) if agent else None
        gemini = await stack.enter_async_context(simulated) if simulated else None
        stage = Stage(view, gemini, broken_reply)
        given = _settings(gemini, personas)
        server, url = await stack.enter_async_context(on_free_port(given, stage))
        settle_garbage_collector()
        # After the server has set its own handler: here, Ctrl-C is the caller's.
        interrupted = stack.enter_context(interruptible(warn))
        greetings = _greetings(server.worker.personas.last_good)
        understanding = _understanding(agent, caller, greetings)

        def show(event: CallEvent) -> None:
            understanding(event)
            stage.caller_side(event)

        report = await call(
            [url],
            PUBLIC_URL,
            AUTH_TOKEN,
            ACCOUNT_SID,
            caller,
            seed=seed,
            on_event=show,
            heard_path=out / "heard.wav",
            stereo_path=out / "call.wav",
            interrupted=interrupted,
        )
        report = await judged(report, understanding)
        record = await server.worker.store.look_up(report.call_sid)
        _conclude(console, report, record, stage, out)
    return report


def _simulated(agent: AgentScript, seed: int, behaviour: Behaviour | None) -> SimulatedGemini:
    random = Random(seed)  # noqa: S311 - repeatable
    return SimulatedGemini(GeminiServer(agent, behaviour, random))


def _greetings(agents: Agents) -> list[str]:
    """The words with which these agents greet, where they have words of their own."""
    cues = (agent.persona.greeting_cue for agent in agents)
    return [words for cue in cues if (words := words_of(cue)) is not None]


def _understanding(
    agent: AgentScript | None, caller: CallerScript, greetings: Sequence[str]
) -> Understanding:
    if agent is None:
        return Understanding(caller)
    says = [*(f"{WORDS}{words}" for words in greetings)]
    says += [agent.greeting, agent.on_text, agent.fallback, *(turn.say for turn in agent.turns)]
    not_understood = {agent.fallback, *NOT_UNDERSTOOD} - {turn.say for turn in agent.turns}
    return Understanding(caller, known=book(says), not_understood=not_understood)


def _settings(gemini: SimulatedGemini | None, personas: Path | None) -> Settings:
    return settings.load(
        public_url=PUBLIC_URL,
        twilio_auth_token=AUTH_TOKEN,
        twilio_account_sid=ACCOUNT_SID,
        redis_url="",
        otel_exporter_otlp_endpoint="",
        record_dir="",
        personas=personas or "",
        drain_budget_s=0,  # Ctrl-C means now
        **model_settings(gemini),
    )


def gaps(heard: bytes, sent: Mapping[int, bytes], dropped_bytes: int) -> int:
    """Count the replies that were not heard in one piece.

    Args:
        heard: All audio that was played to the caller, µ-law.
        sent: The audio that was sent of each reply, µ-law.
        dropped_bytes: How many bytes were cleared from Twilio's buffer. That many may be missing
            at the ends of replies.
    """
    broken = 0
    for ulaw in sent.values():
        begins = heard.find(ulaw[:FRAME_SAMPLES])
        length = _common(heard[begins:], ulaw) if begins >= 0 else 0
        missing = len(ulaw) - length
        dropped_bytes -= missing
        broken += dropped_bytes < 0
        dropped_bytes = max(0, dropped_bytes)
    return broken


def _common(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _conclude(
    console: Console, report: Report, record: CallRecord | None, stage: Stage, out: Path
) -> None:
    heard = b"".join(bytes(line.heard) for line in report.lines)
    dropped = sum(clear.dropped_ms for clear in report.clears) * PHONE_SAMPLES_PER_MS
    broken = gaps(heard, {reply: bytes(ulaw) for reply, ulaw in stage.sent.items()}, dropped)
    lines = len(record.lines) if record else 0
    console.print()
    console.print(summary(report), soft_wrap=True)
    console.print(f"{len(stage.sent)} replies, {broken} of them with a gap; {lines} lines stored")
    console.print(str(stage.bill), soft_wrap=True)
    for problem in report.problems:
        console.print(f"problem: {problem}", soft_wrap=True)
    if stage.simulated:
        console.print(SIMULATED, soft_wrap=True)
    console.print(
        f"listen to both sides: {out / 'call.wav'} (left: the caller; right: the agent as the "
        "caller heard it)",
        soft_wrap=True,
    )
