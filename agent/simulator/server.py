"""The simulated Gemini on a TLS port, for the real SDK: Live, and `generateContent`."""

import asyncio
from pathlib import Path
from random import Random

from websockets.http11 import Response

from agent.simulator.behaviour import Behaviour
from agent.simulator.endpoint import Endpoint, json_answer
from agent.simulator.faults import Fault
from agent.simulator.model import GeminiServer
from agent.simulator.script import named


class SimulatedGemini(Endpoint[GeminiServer]):
    """A Gemini Live on 127.0.0.1; use with ``async with``.

    Args:
        server: The service that answers; None for a `GeminiServer` with its defaults.
        port: As for `Endpoint`.
        cert_dir: As for `Endpoint`.
    """

    def __init__(
        self, server: GeminiServer | None = None, *, port: int = 0, cert_dir: Path | None = None
    ) -> None:
        server = server or GeminiServer()
        super().__init__(server, port=port, cert_dir=cert_dir, pong_ms=server.pong_ms)

    async def answer_post(self, path: str, key: str, body: object) -> Response:
        """See `Endpoint.answer_post`."""
        answer = self.server.generate(path=path, key=key, body=body)
        await asyncio.sleep(answer.delay_ms / 1000)
        return json_answer(answer.status, answer.body)

    def inject(self, fault: Fault) -> None:
        """Inject a fault now, into every open session or the next connection."""
        self.server.inject(fault, self.now_ms())
        self.wake()


async def serve(
    *,
    port: int = 8772,
    cert_dir: Path,
    script: str | Path = "booking",
    seed: int = 0,
    behaviour: Behaviour | None = None,
) -> None:
    """Run a simulated Gemini Live until cancelled. Print first the settings that a client needs.

    Args:
        port: The port to listen on; 0 for any free port.
        cert_dir: The folder for its certificate.
        script: A script's file, or the name of a shipped script.
        seed: The seed for all random choices.
        behaviour: How the service behaves; None for what was measured.

    Raises:
        OSError: The port is taken, or `cert_dir` cannot be written.
        ScriptError: The script cannot be used.
    """
    random = Random(seed)  # noqa: S311 - a seed repeats it
    server = GeminiServer(named(script), behaviour, random, keep=False)
    async with SimulatedGemini(server, port=port, cert_dir=cert_dir) as gemini:
        print(f"export GOOGLE_GEMINI_BASE_URL={gemini.base_url}")  # noqa: T201 - a command's output
        print(f"export SSL_CERT_FILE={gemini.ca_file.resolve()}")  # noqa: T201 - a command's output
        print("export GEMINI_API_KEY=any", flush=True)  # noqa: T201 - a command's output
        await asyncio.get_running_loop().create_future()
