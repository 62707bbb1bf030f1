"""The unmodified JavaScript SDK, @google/genai, talks to the simulated Gemini.

The Python SDK does in tests/agent/simulator/test_server.py.
"""

import asyncio
import json
from asyncio.subprocess import PIPE
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import EAR_RATE_HZ, clip
from tests.end_to_end.watching import PATIENCE_S
from tests.programs import missing, program

FOLDER = Path(__file__).parent / "javascript"
QUESTION, OTHER_QUESTION = clip("caller/table", EAR_RATE_HZ), clip("caller/q2", EAR_RATE_HZ)
GREETING, LONG, SHORT = clip("agent/still-here"), clip("agent/times"), clip("agent/goodbye")
SCRIPT = Script(
    greeting="still-here", turns=(Turn("times", expect="table"), Turn("goodbye", expect="q2"))
)


@pytest.fixture
def node() -> str:
    """The path of node, with the SDK installed."""
    path = program("node")
    if not (FOLDER / "node_modules").is_dir():
        missing("@google/genai is not installed; run make clean setup with npm on the PATH")
    return path


async def conversation(node: str, gemini: SimulatedGemini, arguments: Sequence[str]) -> Any:
    """Run the script with the simulator's certificate trusted; returns what it printed."""
    process = await asyncio.create_subprocess_exec(
        node,
        *("conversation.mjs", gemini.base_url, *arguments),
        cwd=FOLDER,
        env={"NODE_EXTRA_CA_CERTS": str(gemini.ca_file)},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            printed, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    return json.loads(printed)


async def test_the_javascript_sdk_is_greeted_answered_interrupted_and_resumed(
    node: str, tmp_path: Path
) -> None:
    questions = [tmp_path / "question.pcm", tmp_path / "other_question.pcm"]
    for path, spoken in zip(questions, (QUESTION, OTHER_QUESTION), strict=True):
        path.write_bytes(spoken.pcm)
    async with SimulatedGemini(GeminiServer(SCRIPT, BRISK)) as gemini:
        arguments = [str(EAR_RATE_HZ), *map(str, questions)]
        told = await conversation(node, gemini, arguments)
    greeting, talked_over, resumed = (told[part] for part in ("greeting", "talkedOver", "resumed"))

    assert b64decode(greeting["audio"]) == GREETING.pcm
    assert greeting["mimeTypes"] == ["audio/pcm;rate=24000"]
    assert greeting["said"] == GREETING.text
    assert not greeting["interrupted"]

    assert talked_over["understood"] == QUESTION.text + OTHER_QUESTION.text
    assert talked_over["interrupted"]
    audio = b64decode(talked_over["audio"])
    assert audio.endswith(SHORT.pcm)
    begun = audio.removesuffix(SHORT.pcm)
    assert 0 < len(begun) < len(LONG.pcm)
    assert LONG.pcm.startswith(begun)

    assert resumed["understood"] == OTHER_QUESTION.text
    assert b64decode(resumed["audio"]) == SHORT.pcm
    assert [session.handle for session in gemini.server.sessions] == ["", told["handle"]]
    assert [utterance.phrase for utterance in gemini.server.heard] == ["table", "q2", "q2"]
