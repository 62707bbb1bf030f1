"""The judge of words is right about clips as a telephone carries them, and is not lenient."""

from collections.abc import Callable

import audioop
import pytest

from agent.simulator.voice import texts
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import decode
from tests.end_to_end.barge_ins import ulaw_of
from tests.judges.words import Words

AGENT = {name: text for name, text in texts().items() if name.startswith("agent/")}


@pytest.fixture(scope="module")
def words() -> Words:
    return Words(AGENT)


def heard(name: str) -> bytes:
    return ulaw_of(name.removeprefix("agent/"))


@pytest.mark.parametrize("name", AGENT)
def test_every_clip_is_known(words: Words, name: str) -> None:
    assert words.spoken(decode(heard(name)), PHONE_RATE_HZ) == name


@pytest.mark.parametrize(
    "garble",
    [
        pytest.param(lambda ulaw: audioop.alaw2lin(ulaw, 2), id="A-law"),
        pytest.param(lambda ulaw: audioop.byteswap(decode(ulaw), 2), id="swapped bytes"),
        pytest.param(lambda ulaw: decode(ulaw)[: len(ulaw)], id="half a rate"),
        pytest.param(lambda ulaw: bytes(2 * len(ulaw)), id="silence"),
    ],
)
def test_what_is_garbled_is_not_known(words: Words, garble: Callable[[bytes], bytes]) -> None:
    assert [
        name for name in AGENT if words.spoken(garble(heard(name)), PHONE_RATE_HZ) == name
    ] == []
