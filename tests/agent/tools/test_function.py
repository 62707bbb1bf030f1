"""Python functions as tools: whatever they do, an outcome comes of it."""

import asyncio
import json
import threading

import pytest

from agent.conversation.declaration import MAX_RESULT_CHARS, Status
from agent.tools import ToolError, threads, tool
from agent.tools.function import FunctionTool, is_idempotent
from agent.tools.toolbox import Toolbox


@tool(idempotent=True)
def greets(name: str) -> dict[str, str]:
    """Greets."""
    return {"said": f"Hello {name}"}


@tool
async def waits() -> str:
    """Waits."""
    await asyncio.sleep(0)
    return "there"


def refuses() -> None:
    """Refuses."""
    raise ToolError("No table is free.", retryable=True)


def breaks() -> None:
    """Breaks."""
    raise KeyError("the caller's secret")


def looks_up_and_breaks() -> None:
    """Breaks."""
    raise KeyError


def floods() -> list[str]:
    """Returns 5 MB."""
    return ["x" * 50] * 100_000


def floods_with_text() -> str:
    """Returns 5 MB."""
    return "é" * 5_000_000


def gives_nothing() -> None:
    """Returns nothing."""


def test_a_function_says_whether_it_may_run_twice() -> None:
    assert [is_idempotent(each) for each in (greets, waits, refuses)] == [True, False, False]


async def test_functions_run_with_their_arguments() -> None:
    toolbox = Toolbox({"greets": FunctionTool(greets), "waits": FunctionTool(waits)})
    greeted = await toolbox.run("greets", '{"name":"Ada"}')
    assert (greeted.status, greeted.data) == (Status.OK, '{"said": "Hello Ada"}')
    assert (await toolbox.run("waits", "{}")).data == '"there"'
    assert (await toolbox.run("gone", "{}")).status == Status.ERROR


async def test_a_plain_function_runs_beside_the_loop() -> None:
    went_on = threading.Event()

    def blocks() -> bool:
        return went_on.wait(10)

    running = asyncio.create_task(FunctionTool(blocks).run({}))
    await asyncio.sleep(0)
    went_on.set()
    assert (await running).data == "true"


async def test_a_function_that_hangs_can_be_left() -> None:
    for_ever = threading.Event()
    running = asyncio.create_task(FunctionTool(for_ever.wait).run({}))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for_ever.set()


async def test_the_model_is_told_what_a_tool_error_says_and_of_others_nothing() -> None:
    refused = await FunctionTool(refuses).run({})
    assert (refused.status, refused.hint, refused.retryable) == (
        Status.ERROR,
        "No table is free.",
        True,
    )
    broken = await FunctionTool(breaks).run({})
    assert (broken.status, broken.retryable) == (Status.ERROR, False)
    assert broken.problem.startswith("KeyError in test_function.py:")
    assert "secret" not in f"{broken}"


async def test_only_a_look_up_may_run_again_after_it_broke() -> None:
    assert (await FunctionTool(tool(idempotent=True)(looks_up_and_breaks)).run({})).retryable


async def test_nobody_knows_of_an_act_whose_answer_no_thread_is_left_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.tools.threads._running", threading.BoundedSemaphore(1))
    assert threads._running.acquire(blocking=False)
    outcome = await FunctionTool(waits).run({})
    assert (outcome.status, outcome.retryable) == (Status.UNKNOWN, False)
    assert (await FunctionTool(gives_nothing).run({})).retryable  # it was not begun


@pytest.mark.parametrize("function", [floods, floods_with_text])
async def test_a_flood_is_cut_and_says_so(function: object) -> None:
    outcome = await FunctionTool(function).run({})  # type: ignore[arg-type]  # a function
    assert isinstance(json.loads(outcome.data), str)
    assert len(json.loads(outcome.data)) == MAX_RESULT_CHARS
    assert "cut" in outcome.hint


async def test_nothing_is_told_as_done() -> None:
    assert (await FunctionTool(gives_nothing).run({})).hint == "It is done."
