"""`offhook say`: a running `offhook dev` is talked with, line by line."""

import json

import pytest

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from telephony.browser_phone.dev import serving
from telephony.errors import UsageError
from telephony.say_command import deed
from telephony.simulator.script import Keys, Utterance
from tests.end_to_end.scripts import AGENT, CONVERSATION, GREETING, MORGAN
from tests.end_to_end.serving import run


async def test_each_line_is_said_when_the_last_one_was_answered_and_heard() -> None:
    async with serving(AGENT, model=GeminiServer(AGENT, BRISK)) as (dev, _):
        code, out, err = await run("say", "--to", dev.address, "--json", MORGAN, "q2")
        told = [json.loads(line) for line in out.splitlines()]
        assert (code, err) == (0, "")
        assert [(line["kind"], line["text"]) for line in told] == CONVERSATION
        assert not any(line["cut"] for line in told)

        code, out, err = await run("say", "--to", dev.address, "--patience", "3", "keys:1")
        assert (code, err) == (1, "")
        assert out.splitlines() == [f"agent    {GREETING}", "problem  no answer within 3 s"]

        code, _, err = await run("say", "--to", f"{dev.url}/?key=wrong", "q2")
        assert code == 2
        assert "HTTP 403" in err
        assert "wrong" not in err


def test_a_line_is_a_clip_its_words_or_keys() -> None:
    by_name, by_words = deed("morgan"), deed(MORGAN)
    assert isinstance(by_name, Utterance)
    assert by_name == by_words
    assert deed("keys:1#") == Keys("1#")
    with pytest.raises(UsageError, match="caller's clip"):
        deed("nonsense")
