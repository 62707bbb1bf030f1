"""A whole simulated Gemini Live without a socket: clients connect, and each gets a session.

The server is pure: time and random numbers are arguments, so one seed always gives the same run.
`server.SimulatedGemini` is the same server on a WebSocket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from agent.simulator import voice
from agent.simulator.behaviour import Behaviour
from agent.simulator.client_messages import PATH
from agent.simulator.ear import Ear, Phrase
from agent.simulator.faults import (
    Close,
    DropHandles,
    Fault,
    Generation,
    Outage,
    RefuseConnect,
    SlowSetup,
)
from agent.simulator.generation import TARGET, Answer, Asked, asked, generated, made_up, refused
from agent.simulator.listening import Utterance
from agent.simulator.memory import Handles
from agent.simulator.script import Script, shipped
from agent.simulator.service import Service
from agent.simulator.session import Session, State

DEFAULT_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

BAD_KEY = "API key not valid. Please pass a valid API key."

LEAST_CLOSE_CODE = 1000
"""A code below this is an HTTP status."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The handshake is answered with this HTTP status instead of a session."""

    status: int
    reason: str


class GeminiServer:
    """The simulated server: its sessions, its handles, and the faults to inject.

    Args:
        script: The model's script; None for the one that books a table.
        behaviour: How the service behaves.
        random: The random numbers for every choice.
        keep: Whether sessions that are over stay in `sessions`, and requests for text in `asked`,
            for tests to examine.
        keep_audio: Whether each session keeps all caller audio, 32 KB a second.
    """

    def __init__(
        self,
        script: Script | None = None,
        behaviour: Behaviour | None = None,
        random: Random | None = None,
        *,
        keep: bool = True,
        keep_audio: bool = False,
    ) -> None:
        self.sessions: list[Session] = []
        self.asked: list[Asked] = []
        behaviour = behaviour or Behaviour()
        random = random or Random(0)  # noqa: S311 - a simulation, which a seed repeats
        self._keep = keep
        self._service = Service(
            script=script or shipped("booking"),
            behaviour=behaviour,
            random=random,
            ear=caller_ear(),
            handles=Handles(random, behaviour.handle_ttl_ms),
            keep_audio=keep_audio,
        )

    @property
    def pong_ms(self) -> int:
        """How late a ping is answered."""
        return self._service.behaviour.pong_ms

    @property
    def open_sessions(self) -> Sequence[Session]:
        """The sessions that are not over."""
        return [session for session in self.sessions if session.state is not State.OVER]

    @property
    def heard(self) -> Sequence[Utterance]:
        """All utterances of the kept sessions, by session."""
        return [utterance for session in self.sessions for utterance in session.heard]

    def connect(
        self, now_ms: int, *, path: str = DEFAULT_PATH, key: str = "key"
    ) -> Session | Refusal:
        """A client asks for a WebSocket. Run the session; call `closed` when the client is gone."""
        service, behaviour = self._service, self._service.behaviour
        if PATH.fullmatch(path) is None:
            return Refusal(404, f"Expected {DEFAULT_PATH}, got {path}")
        if not self._is_valid(key):
            return Refusal(403, BAD_KEY)
        refusal = service.refusals.pop(0) if service.refusals else None
        struck = service.struck(now_ms)
        if refusal is None and struck is not None and struck.breaks_off_ms is None:
            refusal = RefuseConnect()
        most = behaviour.max_sessions
        if refusal is None and most is not None and len(service.in_use) >= most:
            refusal = behaviour.over_quota
        if refusal is not None and refusal.code < LEAST_CLOSE_CODE:
            return Refusal(refusal.code, refusal.reason)
        slow = service.slow_setups.pop(0) if service.slow_setups and refusal is None else None
        session = Session(
            service,
            now_ms,
            refusal=None if refusal is None else Close(refusal.code, refusal.reason),
            setup_delay_ms=slow.delay_ms if slow is not None else 0,
            breaks_off_ms=None if struck is None else struck.breaks_off_ms,
        )
        if not self._keep:
            self.sessions = list(self.open_sessions)
        self.sessions.append(session)
        return session

    def generate(self, *, path: str, key: str, body: object) -> Answer:
        """A client asks for a text, with a POST.

        Args:
            path: The path, with the model's name.
            key: The API key.
            body: The request's body, as parsed JSON.
        """
        target = TARGET(path)
        if target is None:
            return refused(404, f"Expected /v1beta/models/NAME:generateContent, got {path}")
        if not self._is_valid(key):
            return refused(403, BAD_KEY)
        request = asked(target[1], body)
        if request is None:
            return refused(400, "Expected a request with contents.")
        if self._keep:
            self.asked.append(request)
        service = self._service
        fault = service.generations.pop(0) if service.generations else Generation(200)
        if fault.status != 200:
            return refused(fault.status, "The request was refused.", fault.delay_ms)
        text = fault.text or service.script.generates or made_up(request)
        return generated(request, text, fault.delay_ms)

    def _is_valid(self, key: str) -> bool:
        keys = self._service.behaviour.keys
        return bool(key) and (keys is None or key in keys)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Inject a fault now, into every open session or the next connection. Then poll."""
        if isinstance(fault, DropHandles | Generation | Outage | RefuseConnect | SlowSetup):
            self._service.suffer(fault, now_ms)
            return
        for session in self.open_sessions:
            session.inject(fault, now_ms)


@cache
def caller_ear() -> Ear:
    """An ear that knows every line of the caller, by its name without the role."""
    lines = {name: text for name, text in voice.texts().items() if name.startswith("caller/")}
    return Ear(
        {
            name.removeprefix("caller/"): Phrase(text, voice.clip(name, voice.EAR_RATE_HZ).pcm)
            for name, text in lines.items()
        }
    )
