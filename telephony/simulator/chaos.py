"""`offhook chaos`: network faults drawn from a seed, and printed as they happen."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from telephony.simulator.proxy import Proxy, proxied


class Kind(StrEnum):
    """The kinds of faults, each for all connections at once."""

    CUT = "cut"
    RESET = "reset"
    BLACK_HOLE = "black-hole"
    DELAY = "delay"


LASTS_MS = {Kind.BLACK_HOLE: (1_000, 10_000), Kind.DELAY: (2_000, 20_000)}
"""How long a fault lasts, least and most. The other kinds are over at once."""

DELAY_MS = (100, 1_500)
"""The range of a delay's maximum, for one direction. The minimum is half of the maximum."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault.

    Args:
        after_ms: How long nothing goes wrong before it.
        kind: Its kind.
        lasts_ms: How long it lasts; 0 for a cut and a reset.
        delay_ms: The least and the most delay.
    """

    after_ms: int
    kind: Kind
    lasts_ms: int = 0
    delay_ms: tuple[int, int] = (0, 0)


def drawn(seed: int, every_s: float, kinds: tuple[Kind, ...]) -> Iterator[Trouble]:
    """Draw faults without end. The same seed draws the same faults.

    Args:
        seed: The seed.
        every_s: The average time without a fault.
        kinds: The kinds that may happen; at least one.
    """
    random = Random(seed)  # noqa: S311 - a seed repeats it
    while True:
        after_ms = round(1000 * random.expovariate(1 / every_s))
        kind = random.choice(kinds)
        lasts_ms = random.randint(*LASTS_MS.get(kind, (0, 0)))
        most_ms = random.randint(*DELAY_MS)
        delay_ms = (most_ms // 2, most_ms) if kind is Kind.DELAY else (0, 0)
        yield Trouble(after_ms, kind, lasts_ms, delay_ms)


async def make(trouble: Trouble, proxy: Proxy) -> str:
    """Inject a fault, and wait for its end. Returns a description."""
    match trouble.kind:
        case Kind.CUT:
            return f"{proxy.cut()} connections closed"
        case Kind.RESET:
            return f"{proxy.reset()} connections broken"
        case Kind.BLACK_HOLE:
            proxy.hold()
            await asyncio.sleep(trouble.lasts_ms / 1000)
            proxy.let_go()
            return f"nothing passed for {trouble.lasts_ms} ms"
        case Kind.DELAY:
            proxy.delay_ms = trouble.delay_ms
            await asyncio.sleep(trouble.lasts_ms / 1000)
            proxy.delay_ms = (0, 0)
            least_ms, most_ms = trouble.delay_ms
            return f"{least_ms} to {most_ms} ms late for {trouble.lasts_ms} ms"


async def stir(
    host: str,
    port: int,
    *,
    listen_on: int,
    seed: int,
    every_s: float,
    kinds: tuple[Kind, ...],
    tell: Callable[[str], None],
) -> None:
    """Run a proxy on 127.0.0.1 that injects faults, until cancelled.

    Args:
        host: The host behind the proxy.
        port: The port behind the proxy.
        listen_on: The proxy's own port; 0 for any free one.
        seed: Decides which faults happen, and when.
        every_s: The average time without a fault.
        kinds: The kinds of faults that may happen.
        tell: Called with each line of output: first the address, then each fault with its time.

    Raises:
        OSError: The proxy's own port is in use.
    """
    async with proxied(host, port, listen_on=listen_on, seed=seed) as proxy:
        began_s = asyncio.get_running_loop().time()
        tell(f"127.0.0.1:{proxy.port} leads to {host}:{port}, seed {seed}")
        for trouble in drawn(seed, every_s, kinds):
            await asyncio.sleep(trouble.after_ms / 1000)
            at_s = asyncio.get_running_loop().time() - began_s
            told = await make(trouble, proxy)
            tell(f"{at_s:8.2f}  {trouble.kind:<10}  {told}")
