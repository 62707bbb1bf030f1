"""However a warm transfer ends and wherever a worker dies: nobody rings on, and nobody waits on."""

from pathlib import Path

import pytest

from tests.telephony.server.warm_endings import ENDINGS, legs_up, line, outlived_ms, row

MOST_OUTLIVED_MS = 1_000
"""How long a telephone may ring on, or a target be told of a caller, after the caller has gone."""

DOC = Path(__file__).parents[3] / "docs" / "transfers.md"


@pytest.mark.parametrize("name", ENDINGS)
async def test_each_ending_leaves_nobody_behind_and_no_act_is_done_twice(name: str) -> None:
    ending, found = ENDINGS[name], await row(name)
    for paper in (found.plain, found.dirty):
        assert (paper.caller, paper.step.outcome) == (ending.caller, ending.outcome)
        assert paper.acts.count("place") == 1
        assert paper.acts.count("redirect") == (ending.caller == "agent")
        assert outlived_ms(paper) <= MOST_OUTLIVED_MS
        assert paper.watched == {}
    for paper in found.all:
        told = f"killed before operation {paper.kill_at}: {paper.step} {paper.acts}"
        assert paper.caller in {"agent", "over"}, told
        assert legs_up(paper) == 0, told
        assert paper.acts.count("place") <= 1, told
        assert paper.acts.count("redirect") <= 1, told
    assert line(name, found) in DOC.read_text(encoding="utf-8"), "python -m …warm_endings prints it"
