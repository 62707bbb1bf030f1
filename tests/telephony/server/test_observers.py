"""An observer sees what it wants, and can not hurt a call."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from telephony.call.commands import Command, SendClear
from telephony.call.events import Event, Tick
from telephony.server import metrics, narrator
from telephony.server.observers import Kinds, Observers
from telephony.twilio.messages import Media

type Seen = list[tuple[Event, list[Command]]]

MEDIA = Media("MZ1", b"", 0)


class Watching:
    """Remembers what it is shown, and raises at a kind of event."""

    def __init__(self, *wants: type[Event | Command], breaks_at: type[Event] | None = None) -> None:
        self.seen: Seen = []
        self._breaks_at = breaks_at
        if wants:
            self.wants: Kinds = frozenset(wants)

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        assert (call_sid, now_ms) == ("CA1", 7)
        self.seen.append((event, list(commands)))
        if self._breaks_at is not None and isinstance(event, self._breaks_at):
            raise RuntimeError("a bug of the observer's")


def test_one_that_names_no_kinds_sees_every_step() -> None:
    watching = Watching()
    observers = Observers("CA1", [watching], lambda _: None)
    observers.show(MEDIA, 7, [])
    observers.show(Tick(), 7, [SendClear("MZ1")])
    assert watching.seen == [(MEDIA, []), (Tick(), [SendClear("MZ1")])]


@pytest.mark.parametrize("wants", [Tick, SendClear])
def test_one_that_names_kinds_sees_the_steps_with_one_of_them_whole(
    wants: type[Event | Command],
) -> None:
    watching = Watching(wants)
    observers = Observers("CA1", [watching], lambda _: None)
    observers.show(MEDIA, 7, [])
    observers.show(Tick(), 7, [SendClear("MZ1")])
    assert watching.seen == [(Tick(), [SendClear("MZ1")])]


def test_one_that_raises_is_told_of_once_and_sees_no_more_of_that_call() -> None:
    broken, fine, failed = Watching(breaks_at=Tick), Watching(), list[str]()
    observers = Observers("CA1", [broken, fine], failed.append)
    with capture_logs() as logs:
        for _ in range(3):
            observers.show(Tick(), 7, [])
    assert (len(broken.seen), len(fine.seen)) == (1, 3)
    assert failed == ["Watching"]
    assert [entry["observer"] for entry in logs] == ["Watching"]


def test_another_call_has_it_still() -> None:
    broken = Watching(breaks_at=Tick)
    one, other = (Observers("CA1", [broken], lambda _: None) for _ in range(2))
    one.show(Tick(), 7, [])
    other.show(MEDIA, 7, [])
    assert len(broken.seen) == 2


@pytest.mark.parametrize(
    ("room", "wants"),
    [(metrics, metrics.Metrics.wants), (narrator, narrator.Narrator.wants)],
    ids=["metrics", "narrator"],
)
def test_what_an_observer_looks_at_is_what_it_wants(room: object, wants: Kinds) -> None:
    tree = ast.parse(Path(str(vars(room)["__file__"])).read_text("utf-8"))
    cases = {
        case.cls.id
        for case in ast.walk(tree)
        if isinstance(case, ast.MatchClass) and isinstance(case.cls, ast.Name)
    }
    assert cases <= {kind.__name__ for kind in wants}
