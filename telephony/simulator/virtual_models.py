"""The models of a world, and every connection to them. Pure."""

from dataclasses import dataclass
from random import Random

from agent.conversation.commands import OpenModel
from agent.gemini.breaker import Breaker
from agent.simulator.agenda import Agenda
from agent.simulator.model import GeminiServer
from telephony.simulator.model_link import ModelLink, Sdk
from telephony.simulator.network import Network
from telephony.simulator.pipe import Pipe
from telephony.simulator.virtual_worker import VirtualWorker


@dataclass(frozen=True, slots=True)
class Upstream:
    """A model, and what stands between workers and it, if anything."""

    model: GeminiServer
    breaker: Breaker | None = None


class VirtualModels:
    """What workers dial.

    Args:
        first: The model that is dialled first.
        fallback: The second one, or None.
        sdk: Writes and reads messages as google-genai does.
        agenda: The world's.
        random: For the delays.
        network: The delays.

    Attributes:
        links: Every connection, in the order in which they were dialled.
    """

    def __init__(
        self,
        first: Upstream,
        fallback: Upstream | None,
        sdk: Sdk,
        agenda: Agenda,
        random: Random,
        network: Network,
    ) -> None:
        self._first, self._fallback, self._sdk = first, fallback, sdk
        self._agenda, self._random, self._network = agenda, random, network
        self.links: list[ModelLink] = []

    @property
    def has_fallback(self) -> bool:
        """Whether there is a second model."""
        return self._fallback is not None

    def dial(self, worker: VirtualWorker, command: OpenModel, now_ms: int) -> ModelLink:
        """Dial the model that a worker's call asks for."""
        gemini_ms = self._network.gemini_ms
        up, down = (Pipe(self._agenda, self._random, gemini_ms) for _ in range(2))
        to = self._fallback if command.fallback and self._fallback is not None else self._first
        admitted = None
        if to.breaker is not None:
            admitted = to.breaker.admit(now_ms, resumes=bool(command.handle))
        link = ModelLink(
            command, to.model, self._sdk, self._agenda, up, down, worker.feed, admitted
        )
        # TCP, TLS and the upgrade are a round trip each; the setup follows the last.
        link.dial(now_ms, sum(self._random.randint(*gemini_ms) for _ in range(6)))
        self.links.append(link)
        return link
