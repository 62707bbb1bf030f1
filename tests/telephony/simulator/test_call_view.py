"""What a terminal shows of several calls at once."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from telephony.simulator.call_view import CallView, LegsView, texts_view
from telephony.simulator.elements import Request
from telephony.simulator.report import (
    AgentHeard,
    CallerSpoke,
    Joined,
    StreamClosed,
    never_rang,
)
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.rest_messages import SentMessage

SPOKE = CallerSpoke(2_000, "yes", "Yes.", 500)


def shown(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_who_speaks_in_a_conference_talks_over_no_agent() -> None:
    console = Console(file=StringIO(), width=100)
    view = CallView(console)
    for event in (
        AgentHeard(0, None),
        StreamClosed(1_000, "MZ1", "moved"),
        Joined(1_500, "a-name"),
    ):
        view.show(event)
    view.show(SPOKE)
    assert [line.split(maxsplit=1)[1] for line in shown(console)] == [
        "agent     is heard",
        "twilio    the media stream is over (moved)",
        "twilio    joins the conference a-name",
        "caller    “Yes.”",
    ]


def test_each_line_of_a_leg_begins_with_the_end_of_its_sid_and_a_problem_is_shown() -> None:
    console = Console(file=StringIO(), width=100)
    legs = LegsView(console)
    placed = [
        PlacedCall(f"CA0{n}", "+1", "+2", Request("https://x.org"), None, None, (), 20)
        for n in (1, 2)
    ]
    legs.show(placed[0], AgentHeard(0, None))
    legs.show(placed[1], SPOKE)
    legs.show(placed[0], SPOKE)
    legs.conclude(placed[0], replace(never_rang("CA01", 0), problems=("waited",)))
    assert [line.split()[0] for line in shown(console)] == [
        *("CA01", "CA02", "CA01", "CA01", "CA01")
    ]
    assert shown(console)[2].split()[2] == "barge-in", "of its own agent"


def test_a_text_message_is_shown_with_what_becomes_of_it() -> None:
    console = Console(file=StringIO(), width=100)
    sent = SentMessage("SM01", "+14155550123", "+14155550199", "Booked.")
    for each in (sent, sent.became("delivered")):
        texts_view(console)(each)
    assert shown(console) == [
        "SM01 text to +14155550123: “Booked.”",
        "SM01 text to +14155550123: delivered",
    ]
