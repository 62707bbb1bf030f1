"""A call in which we tell Gemini when the caller speaks, over real sockets, with the real SDK."""

from collections.abc import Sequence
from pathlib import Path

from agent.conversation.commands import MarkSpeech
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event
from tests.end_to_end.scripts import CONVERSATION, TWO_TURNS
from tests.end_to_end.serving import place, serving

PERSONA = """
name = "Ada"
instructions = "You are Ada."
[turns]
detection = "ours"
"""


async def test_both_questions_are_heard_and_answered(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    marks: list[bool] = []

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        del call_sid, event, now_ms
        marks.extend(each.begins for each in commands if isinstance(each, MarkSpeech))

    file = tmp_path / "ada.toml"
    file.write_text(PERSONA)
    async with serving(gemini, observe, personas=file) as worker:
        report = await place(TWO_TURNS, worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.problems == ()
    assert record is not None
    assert [(line.role, line.heard) for line in record.lines] == CONVERSATION
    assert marks == [True, False, True, False]
