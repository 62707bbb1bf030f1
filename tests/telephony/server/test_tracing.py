"""Which spans a recorded call makes. What was said is in none of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.conversation.commands import AppendLine
from agent.conversation.events import UsageReported
from telephony.call.events import CallOpened
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.recording import Step
from telephony.server.measuring import Measuring
from telephony.server.narrator import Narrator
from telephony.server.tracing import Kind, Span, Tracing

CALLS = Path(__file__).parents[3] / "fixtures/calls"


def steps_of(name: str) -> Sequence[Step]:
    return play(read(CALLS / f"{name}.call").events).steps


def spans_of(steps: Sequence[Step]) -> list[Span]:
    spans: list[Span] = []
    tracing = Tracing(spans.append, "a-model", "another-model")
    for step in steps:
        tracing("CA1", step.event, step.now_ms, step.commands)
    return spans


def test_a_call_is_a_span_and_its_turns_and_tools_are_parts_of_it() -> None:
    steps = steps_of("tool-looked-up")
    *parts, call = spans_of(steps)
    lines = [c.line for step in steps for c in step.commands if isinstance(c, AppendLine)]
    assert (call.kind, call.parent_id) == (Kind.SERVER, "")
    assert {part.parent_id for part in parts} == {call.span_id}
    assert {part.trace_id for part in parts} == {call.trace_id}
    assert len({part.span_id for part in [*parts, call]}) == len(parts) + 1
    turns = [part for part in parts if not part.name.startswith("execute_tool")]
    assert [turn.attributes["offhook.line"] for turn in turns] == [line.n for line in lines]
    agents = [turn.name == "chat a-model" for turn in turns]
    assert agents == [line.role == "agent" for line in lines]
    (tool,) = (part for part in parts if part not in turns)
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert tool.attributes["offhook.tool.status"] == "ok"
    for part in parts:
        assert call.began_ms <= part.began_ms <= part.ended_ms <= call.ended_ms


def test_an_answer_begins_when_the_caller_has_spoken() -> None:
    answers = [span for span in spans_of(steps_of("question")) if span.name.startswith("chat")]
    assert any(int(span.attributes.get("offhook.model_ms", 0)) > 0 for span in answers)


def test_a_reply_that_was_cut_says_so() -> None:
    spans = spans_of(steps_of("barge-in-generating"))
    assert [span for span in spans if span.attributes.get("offhook.cut")]


def test_the_tokens_of_each_answer_are_counted_once() -> None:
    steps = steps_of("question")
    answers = [span for span in spans_of(steps) if span.name.startswith("chat")]
    read = sum(int(span.attributes["gen_ai.usage.input_tokens"]) for span in answers)
    reported = [s.event.prompt_tokens for s in steps if isinstance(s.event, UsageReported)]
    assert len(answers) > 1
    assert read == sum(reported) > 0


def test_all_workers_of_a_call_write_the_same_trace() -> None:
    first, second = spans_of(steps_of("hand-over")), spans_of(steps_of("hand-over.2"))
    assert {span.trace_id for span in first} == {span.trace_id for span in second}
    assert first[-1].span_id != second[-1].span_id
    assert max(span.ended_ms for span in first) <= second[-1].ended_ms


@pytest.mark.parametrize("name", ["tool-looked-up", "question", "digits-said", "hand-over.2"])
def test_neither_spans_nor_log_hold_what_was_said(name: str) -> None:
    steps = steps_of(name)
    narrator = Narrator(Measuring())
    with capture_logs() as log:
        for step in steps:
            narrator("CA1", step.event, step.now_ms, step.commands)
    told = f"{spans_of(steps)} {log}"
    opened = next(step.event for step in steps if isinstance(step.event, CallOpened))
    said = [c.line.text for step in steps for c in step.commands if isinstance(c, AppendLine)]
    said += [line.text for line in opened.lines]
    assert said
    assert [text for text in said if text in told] == []
    turns = [line for line in log if line["event"] == "turn over"]
    assert len(turns) == sum(isinstance(c, AppendLine) for step in steps for c in step.commands)
