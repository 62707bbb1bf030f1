"""Each world file is lived three times: whole, cut, and dirty. Its invariants hold, its recordings
are what it makes, and what matters is the same when the line and the model are as dirty as real
ones. The recordings are beside it in `fixtures/calls`; the worlds in `files` have none.

`make cuts` cuts each after every step, `make dirty` tries every kind of dirt. Here the name draws.
"""

from pathlib import Path

import pytest

from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE
from telephony.simulator.world import World
from tests.replay import make
from tests.worlds import cuts, dirty
from tests.worlds.invariants import broken


@pytest.fixture(scope="module", params=cuts.NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Of a world file. All its tests run before the next one's."""
    return str(request.param)


@pytest.fixture(scope="module")
def whole(name: str) -> World:
    """Its call, lived to its end."""
    return cuts.whole(name)


def test_what_holds_for_every_call_holds(name: str, whole: World) -> None:
    assert broken(whole, cuts.spec_of(name)) == []


def test_it_goes_on_after_a_cut(name: str, whole: World) -> None:
    step = cuts.step_to_cut(cuts.spec_of(name), whole)
    found = list(cuts.failures(name, [step]))
    assert not found, "\n".join(found)


def test_dirt_changes_nothing_that_matters(name: str) -> None:
    found = dirty.found(name, dirty.one_of(name))
    assert found is None, str(found)


def test_it_makes_its_recordings_again(name: str, whole: World, tmp_path: Path) -> None:
    folders = make.make(cuts.FILES[name], whole, tmp_path)
    assert bool(folders) == name.endswith(".call")
    for made in folders:
        for file in (EVENTS_FILE, GOLDEN_FILE):
            assert (made / file).read_bytes() == (make.CALLS / made.name / file).read_bytes()
