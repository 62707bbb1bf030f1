"""What matters in a call is the same when the line and the model are as dirty as real ones.

`make dirty` tries every kind of dirt in every world. Here some worlds of seeds have one, drawn by
the seed; `test_world_files.py` tries one in each world of a file.
"""

import pytest

from tests.worlds import cuts, dirty
from tests.worlds.dirt import DIRT, Dirt, Switches, soiled
from tests.worlds.judge import fingerprint

SEEDS = 12

SHOWN = [
    *(("12", "murmur"), ("25", "room"), ("39", "murmur"), ("greeting", "words-in-letters")),
    *(("194", "stalls"), ("empty-turn.call", "comfort-noise"), ("178", "thinking")),
    *(
        ("barge-in-before-audio.call", "chunks"),
        ("1", "long-thinking"),
        ("259", "words-in-letters"),
        ("374", "agent-words-first"),
        ("30", "words-in-letters"),
        ("keys-sent.call", "words-in-letters"),
        ("message-taken.call", "words-in-letters"),
    ),
]
"""Worlds in which a fault was found that no clean world shows."""


@pytest.mark.parametrize("world", [*map(str, range(SEEDS))])
def test_dirt_changes_nothing_that_matters(world: str) -> None:
    found = dirty.found(world, dirty.one_of(world))
    assert found is None, str(found)


@pytest.mark.parametrize(("world", "kind"), SHOWN)
def test_what_dirt_has_shown_stays_mended(world: str, kind: str) -> None:
    found = dirty.found(world, DIRT[kind])
    assert found is None, str(found)


def test_a_change_that_breaks_something_is_made_as_small_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here anything is broken by an echo that is less than 35 dB down."""

    def broken(world: str, dirt: Dirt, switches: Switches) -> tuple[str, ...]:
        echo_db = switches.get("line.echo_db", 0.0)
        return ("too loud",) if isinstance(echo_db, float) and 0 < echo_db < 35 else ()

    monkeypatch.setattr(dirty, "broken", broken)
    drawn: Switches = {"line.echo_db": 31.0, "line.echo_ms": 200}
    found, wrong = dirty.shrunk("greeting", DIRT["echo"], drawn, ("too loud",))
    (echo_db,) = found.values()
    assert isinstance(echo_db, float)
    assert 34 < echo_db < 35
    assert str(dirty.Found("greeting", "echo", wrong, found)).endswith(
        f"python -m tests.worlds.dirty --world greeting --dirt echo --set line.echo_db={echo_db}"
    )


def test_a_dirty_world_is_the_same_each_time() -> None:
    spec = dirty.spec_of("greeting")
    made = soiled(spec, dirty.drawn("greeting", DIRT["stalls"]))
    assert fingerprint(cuts.lived(made)) == fingerprint(cuts.lived(made))
