"""Shows simulated calls and text messages in a terminal: one line for each event."""

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from telephony.simulator.report import (
    AgentHeard,
    AgentQuiet,
    Announced,
    BufferCleared,
    CallEnded,
    CallerSpoke,
    CallEvent,
    Dialled,
    Joined,
    KeyPressed,
    Report,
    StreamClosed,
    StreamOpened,
    WebhookAnswered,
)
from telephony.simulator.rest_calls import PlacedCall
from telephony.simulator.rest_messages import SentMessage
from telephony.simulator.understanding import Words

STYLES = {
    "caller": "cyan",
    "agent": "green",
    "twilio": "dim",
    "server": "dim",
    "barge-in": "bold yellow",
    "clear": "bold yellow",
    "drop": "bold red",
    "resume": "bold magenta",
}


class CallView:
    """Prints a call while it runs. Times are seconds since the call began.

    Args:
        console: Where to.
        name: What stands before each line, to tell several calls apart.
    """

    def __init__(self, console: Console, name: str = "") -> None:
        self._console, self._name = console, name and f"{name} "
        self._agent_is_heard = False

    def line(self, at_ms: int, who: str, what: str) -> None:
        """Print one event: the time, who or what kind, and what happened."""
        style = STYLES.get(who, "")
        text = Text.assemble(
            self._name, (f"{at_ms / 1000:7.2f}  ", "dim"), (f"{who:<9} ", style), what
        )
        self._console.print(text, soft_wrap=True)

    def show(self, event: CallEvent) -> None:
        """Print an event of Twilio or the caller."""
        match event:
            case WebhookAnswered():
                what = f"{event.path} answered {event.status} in {event.took_ms} ms"
                self.line(event.at_ms, "twilio", what)
            case StreamOpened():
                self.line(event.at_ms, "twilio", "the media stream is up")
            case StreamClosed():
                self._agent_is_heard = False
                self.line(event.at_ms, "twilio", f"the media stream is over ({event.how})")
            case CallerSpoke():
                if self._agent_is_heard:
                    self.line(event.at_ms, "barge-in", "the caller talks over the agent")
                self.line(event.at_ms, "caller", f"“{event.text}”")
            case KeyPressed():
                self.line(event.at_ms, "caller", f"presses {event.digit}")
            case AgentHeard():
                self._agent_is_heard = True
                after = f", {event.response_ms} ms after the caller" if event.response_ms else ""
                self.line(event.at_ms, "agent", f"is heard{after}")
            case AgentQuiet():
                self._agent_is_heard = False
            case BufferCleared():
                what = f"{event.dropped_ms} ms of the agent's speech are dropped at Twilio"
                self.line(event.at_ms, "clear", what)
            case Announced():
                self.line(event.at_ms, "twilio", f"says “{event.text}”")
            case Dialled():
                self.line(event.at_ms, "twilio", f"calls {event.to}: {event.status}")
            case Joined():
                self.line(event.at_ms, "twilio", f"joins the conference {event.conference}")
            case CallEnded():
                self.line(event.at_ms, "twilio", f"the call is over (by {event.by})")

    def understood(self, words: Words) -> None:
        """Print the words of an agent's turn, once it is over."""
        text = f"said “{words.text}”" if words.text else "said words that the simulator cannot know"
        self.line(words.at_ms, "agent", text)


class LegsView:
    """Prints calls that are placed while they run, each behind the end of its CallSid."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._views: dict[str, CallView] = {}

    def show(self, placed: PlacedCall, event: CallEvent) -> None:
        """Print an event of one of them."""
        self._view(placed).show(event)

    def conclude(self, placed: PlacedCall, report: Report) -> None:
        """Print what went wrong with one of them."""
        for problem in report.problems:
            self._view(placed).line(report.duration_ms, "problem", problem)

    def _view(self, placed: PlacedCall) -> CallView:
        return self._views.setdefault(placed.sid, CallView(self._console, placed.sid[-4:]))


def texts_view(console: Console) -> Callable[[SentMessage], None]:
    """Print messages, and what becomes of them, behind the end of their SIDs."""

    def show(message: SentMessage) -> None:
        what = f"“{message.body}”" if message.status in {"queued", "accepted"} else message.status
        console.print(f"{message.sid[-4:]} text to {message.to}: {what}", soft_wrap=True)

    return show
