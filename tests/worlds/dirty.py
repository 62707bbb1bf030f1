"""Makes calls dirty in every way, and compares each with the same call when it is clean.

python -m tests.worlds.dirty                                # every kind, every world: `make dirty`
python -m tests.worlds.dirty --world greeting.call          # all kinds, one world
python -m tests.worlds.dirty --world 17 --dirt murmur       # the world of a seed, one kind
python -m tests.worlds.dirty --world 17 --dirt murmur --set line.background_db=29.5

A world is a file's name, as in `tests.worlds.cuts`, or a seed. Of each kind, the world's name draws
how much. Where something differs, the change is made smaller for as long as it still does.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from multiprocessing import get_context
from random import Random

from agent.simulator.behaviour import Behaviour
from agent.simulator.switches import SwitchError, checked, read
from telephony.simulator.drawn import draw
from telephony.simulator.faults import LineFaults
from telephony.simulator.script import Step
from telephony.simulator.world_spec import WorldSpec
from tests.worlds import cuts
from tests.worlds.dirt import DIRT, Dirt, Switches, clean, soiled
from tests.worlds.relations import Outcome, outcome, relations_of, violated

SEEDS = 500

MOVED_MS = (
    *((0, 0), (-60, 0), (60, 0), (0, -60), (0, 60)),
    *((-120, 0), (120, 0), (0, -150), (0, 150), (-60, -60), (60, 60)),
)
"""By how much the caller of each neighbour is later, and by how much what goes wrong there is."""

NEIGHBOURS_APART = 100_000

KNOWN: dict[str, str] = {}
"""What is broken and not mended yet, by the kind of dirt that shows it, or that and the world.
It is printed as SHORT, and fails as well."""


def known(dirt: str, world: str) -> str:
    """Why it is known that this kind of dirt breaks this world; "" if it is not."""
    return KNOWN.get(dirt) or KNOWN.get(f"{dirt} {world}", "")


@dataclass(frozen=True, slots=True)
class Found:
    """What is broken in one world by one kind of dirt, by the smallest change that shows it."""

    world: str
    dirt: str
    broken: tuple[str, ...]
    switches: Switches

    def __str__(self) -> str:
        sets = " ".join(f"--set {name}={_text(value)}" for name, value in self.switches.items())
        command = f"python -m tests.worlds.dirty --world {self.world} --dirt {self.dirt} {sets}"
        return "\n".join([*(f"{self.world}: {wrong}" for wrong in self.broken), f"    {command}"])


def spec_of(world: str) -> WorldSpec:
    """The clean world of a file or a seed."""
    return clean(draw(int(world)) if world.isdigit() else cuts.spec_of(world))


@cache
def clean_outcome(world: str, neighbour: int = 0) -> Outcome:
    """What matters in the clean call, or in one of its neighbours.

    A clean call is not one call: what happens at 3 412 ms may be a few ms before the end of a turn,
    or behind it. So a dirty call may be as the clean one or as any neighbour of it. They differ in
    chance, in the network and in the model's times, and the caller and what goes wrong come a
    little earlier or later.
    """
    spec, (caller_ms, faults_ms) = spec_of(world), MOVED_MS[neighbour]
    if not neighbour and not world.isdigit():
        return outcome(cuts.whole(world), spec)
    faults = [replace(timed, at_ms=max(0, timed.at_ms + faults_ms)) for timed in spec.faults]
    steps = [_moved(step, caller_ms) for step in spec.caller.steps]
    moved = replace(
        spec,
        seed=spec.seed + NEIGHBOURS_APART * neighbour,
        faults=tuple(faults),
        caller=replace(spec.caller, steps=tuple(steps)),
    )
    return _lived(moved)


def _moved(step: Step, ms: int) -> Step:
    if step.barge_in_ms is None:
        return replace(step, after_ms=max(0, step.after_ms + ms))
    return replace(step, barge_in_ms=max(0, step.barge_in_ms + ms))


def drawn(world: str, dirt: Dirt) -> Switches:
    """How dirty a world is, in one way."""
    return dirt.draw(Random(f"{dirt.name} {world}"))


def one_of(world: str) -> Dirt:
    """The kind of dirt that `make test` tries with a world."""
    spec = spec_of(world)
    fitting = [x for x in DIRT.values() if x.fits(spec) and not known(x.name, world)]
    return Random(f"dirt {world}").choice(fitting)


def broken(world: str, dirt: Dirt, switches: Switches) -> tuple[str, ...]:
    """Which relations do not hold between a clean world and a dirty one, nor between any neighbour
    and that. What is known to be broken is only compared with the world itself.
    """
    spec = spec_of(world)
    dirty = _lived(soiled(spec, switches))
    wrong: tuple[str, ...] = ()
    for neighbour in range(1 if known(dirt.name, world) else len(MOVED_MS)):
        found = tuple(
            violated(clean_outcome(world, neighbour), dirty, dirt, closely=closely(world, dirt))
        )
        if not found:
            return ()
        wrong = wrong or found
    return wrong


def found(world: str, dirt: Dirt) -> Found | None:
    """The smallest change that breaks something; None if the drawn one breaks nothing.

    What is known already is not made smaller.
    """
    if not dirt.fits(spec_of(world)):
        return None
    switches = drawn(world, dirt)
    wrong = broken(world, dirt, switches)
    if not wrong:
        return None
    if not known(dirt.name, world):
        switches, wrong = shrunk(world, dirt, switches, wrong)
    return Found(world, dirt.name, wrong, switches)


def closely(world: str, dirt: Dirt) -> bool:
    """Whether all that was said and heard is compared.

    It is where each step of the caller follows the agent, and nothing goes wrong at a time.
    Elsewhere a few ms decide what happens; in the files they were chosen so that they do not.
    """
    spec = spec_of(world)
    by_clock = [
        step
        for step in spec.caller.steps
        if not step.wait_for_agent and not step.last_words and step.barge_in_ms is None
    ]
    paced = not (spec.faults or spec.model.faults or by_clock)
    within = any(timed.at_ms for turn in spec.model.turns for timed in turn.faults)
    if dirt.name == "chunks" and within:
        return False  # how much of a reply came before its fault, the size of its pieces decides
    if not dirt.moves_time:
        return paced or not world.isdigit()
    # A caller who takes a pause for the end of a reply may take a longer thought for it, too.
    pauses = any(turn.faults for turn in spec.model.turns) or any(
        step.barge_in_ms is not None for step in spec.caller.steps
    )
    return paced and not pauses


def _lived(spec: WorldSpec) -> Outcome:
    return outcome(cuts.lived(spec), spec)


MILDEST: Switches = {"line.background_db": 60.0, "line.echo_db": 60.0}
"""Where these would change nothing; of all others, that is the clean world's value."""

HALVINGS = 6
"""How exactly the smallest change is found, for each switch."""


def shrunk(
    world: str, dirt: Dirt, switches: Switches, wrong: tuple[str, ...]
) -> tuple[Switches, tuple[str, ...]]:
    """The smallest change that still breaks something, and what it breaks.

    First each switch is left alone, then each number is brought as near to the clean world's as it
    may be.
    """
    spec = spec_of(world)
    for name in list(switches):
        fewer = {other: value for other, value in switches.items() if other != name}
        if fewer and (still := broken(world, dirt, fewer)):
            switches, wrong = fewer, still
    for name in switches:
        mild = MILDEST.get(name, _value(spec, name))
        for _ in range(HALVINGS):
            if (tried := _between(mild, switches[name])) in {mild, switches[name]}:
                break
            if still := broken(world, dirt, {**switches, name: tried}):
                wrong = still
                switches = {**switches, name: tried}
            else:
                mild = tried
    return switches, wrong


def _value(spec: WorldSpec, name: str) -> object:
    room, _, field = name.partition(".")
    return getattr(spec.line if room == "line" else spec.behaviour, field)


def _between(mild: object, strong: object) -> object:
    """Half way between two numbers, or two pairs of them; `strong` if they are something else."""
    match mild, strong:
        case (bool(), _) | (_, bool()):
            return strong
        case int(), int():
            return (mild + strong) // 2
        case int() | float(), int() | float():
            return round((mild + strong) / 2, 3)
        case (int(least), int(most)), (int(low), int(high)):
            return (least + low) // 2, (most + high) // 2
        case _:
            return strong


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(str(one) for one in value)
        case _:
            return str(value)


def _read(parser: argparse.ArgumentParser, switches: Sequence[str]) -> Switches:
    """The switches of the command line."""
    out: dict[str, object] = {}
    for switch in switches:
        name, _, text = switch.partition("=")
        room, _, field = name.partition(".")
        kind: type[LineFaults | Behaviour] | None = ROOMS.get(room)
        if kind is None or field not in {known.name for known in fields(kind)}:
            parser.error(f"--set: expected line.SWITCH=VALUE or behaviour.SWITCH=VALUE: {switch!r}")
        several = "," in text
        try:
            out[name] = checked(f"--set {name}", kind, field, read(text, several=several))
        except SwitchError as error:
            parser.error(str(error))
    return out


ROOMS: dict[str, type[LineFaults | Behaviour]] = {"line": LineFaults, "behaviour": Behaviour}


def main() -> int:
    """Make dirty what is asked for; 1 if anything is broken, known or not."""
    parser = argparse.ArgumentParser(description="Compare dirty calls with clean ones.")
    parser.add_argument("--world", help="a world file's name, or a seed; all of them without it")
    parser.add_argument("--dirt", choices=DIRT, help="of this kind; of all kinds without it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="sets")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many worlds are drawn")
    asked = parser.parse_args()
    if asked.world and not asked.world.isdigit() and asked.world not in cuts.NAMES:
        parser.error(f"--world: expected a seed, or one of {', '.join(cuts.NAMES)}")
    if asked.sets:
        if not (asked.world and asked.dirt):
            parser.error("--set: expected --world and --dirt beside it")
        wrong = broken(asked.world, DIRT[asked.dirt], _read(parser, asked.sets))
        _print("\n".join(wrong) or "nothing is broken")
        return 1 if wrong else 0
    worlds = [asked.world] if asked.world else [*cuts.NAMES, *map(str, range(asked.seeds))]
    kinds = [asked.dirt] if asked.dirt else list(DIRT)
    return _all(worlds, kinds)


def _all(worlds: Sequence[str], kinds: Sequence[str]) -> int:
    tried, wrong, short = Counter[str](), Counter[str](), Counter[str]()
    with get_context("spawn").Pool(min(len(worlds), os.process_cpu_count() or 1)) as pool:
        for relations, reports in pool.imap(partial(_one, kinds), worlds):
            tried.update(relations)
            for report in reports:
                why = known(report.dirt, report.world)
                (short if why else wrong)[report.dirt] += 1
                _print(f"{'SHORT' if why else 'BROKEN'}  {report.dirt}: {report}")
    _print(f"\n{'kind':<22} {'relations':>9} {'broken':>7} {'short':>6}")
    for kind in kinds:
        whys = {why for name, why in KNOWN.items() if name.split()[0] == kind and short[kind]}
        why = f"   {'; '.join(whys)}" if whys else ""
        _print(f"{kind:<22} {tried[kind]:>9} {wrong[kind]:>7} {short[kind]:>6}{why}")
    _print(f"{'all':<22} {tried.total():>9} {wrong.total():>7} {short.total():>6}")
    return 1 if wrong or short else 0


def _one(kinds: Sequence[str], world: str) -> tuple[Counter[str], list[Found]]:
    """One world in every way: how many relations were tried of each kind, and what is broken."""
    tried, reports = Counter[str](), []
    for kind in kinds:
        if DIRT[kind].fits(spec_of(world)):
            tried[kind] += relations_of(DIRT[kind], closely=closely(world, DIRT[kind]))
        if (report := found(world, DIRT[kind])) is not None:
            reports.append(report)
    clean_outcome.cache_clear()
    return tried, reports


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - for a person


if __name__ == "__main__":
    sys.exit(main())
