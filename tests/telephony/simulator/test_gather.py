"""What Twilio says by itself, and the keys that are pressed to it."""

from collections import deque

import pytest

from telephony.simulator.elements import Request
from telephony.simulator.hearing import Air
from telephony.simulator.off_line import Passed
from telephony.simulator.prompts import Entered, Prompts
from telephony.simulator.report import CallEvent
from telephony.simulator.twiml import Gather, Pause, Play, Say

ACTION = Request("https://voice.example.com/keyed")


class Person:
    """Presses the given keys, one in each time that waits for keys; "" for none."""

    def __init__(self, *presses: str) -> None:
        self.presses, self.key = deque(presses), ""
        self.lived: list[int] = []

    async def live(self, duration_ms: int, *, keys: str = "", air: Air | None = None) -> Passed:
        assert air is None or not air.over
        self.lived.append(duration_ms)
        self.key = self.presses.popleft() if self.presses else ""
        if self.key == "hangs up":
            return Passed.HUNG_UP
        return Passed.KEY if self.key and self.key in keys else Passed.BY


async def gathered(person: Person, verb: Gather) -> Entered:
    told: list[CallEvent] = []
    prompts = Prompts(person.live, person, lambda: 0, len, told.append)
    return await prompts.gather(verb)


@pytest.mark.parametrize(
    ("presses", "verb", "entered"),
    [
        (("", "1"), Gather(ACTION, (Say("One?"),), keys=1), Entered("1")),
        (("1", "2", ""), Gather(ACTION), Entered("12")),
        (("1", "#"), Gather(ACTION), Entered("1", "#")),
        (("#",), Gather(ACTION), Entered("", "#")),
        (("1", "#", "*"), Gather(ACTION, keys=2, finish="*"), Entered("1#")),
        (("#", "#", ""), Gather(ACTION, finish=""), Entered("##")),
        ((), Gather(ACTION, (Say("One?"),)), Entered("")),
        (("1", "hangs up"), Gather(ACTION), Entered("1")),
    ],
)
async def test_keys_are_gathered_until_there_are_enough_or_one_ends_them(
    presses: tuple[str, ...], verb: Gather, entered: Entered
) -> None:
    assert await gathered(Person(*presses), verb) == entered


async def test_the_first_key_ends_the_prompts_and_each_key_begins_the_wait_anew() -> None:
    prompts = (Say("abc"), Pause(2_000), Play("https://voice.example.com/a.wav"))
    person = Person("", "1", "2", "")
    assert await gathered(person, Gather(ACTION, prompts, timeout_ms=8_000)) == Entered("12")
    assert person.lived == [3, 2_000, 8_000, 8_000]


def test_an_action_is_told_the_keys_and_the_one_that_ended_them() -> None:
    assert Entered("1").params() == {"Digits": "1", "msg": "Gather End"}
    assert Entered("", "#").params()["FinishedOnKey"] == "#"
