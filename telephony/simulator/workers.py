"""The workers behind one public URL. Chooses one for each connection, as a load balancer does."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from telephony.errors import UsageError

type Route = Callable[[str], int]
"""From a URL's path, such as ``/twilio/media``, to the index of the worker to try first."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to, for one public URL at one worker.

    Args:
        worker: The worker's base URL, as it was given.
        url: The same resource at the worker. The Host header is the worker's too, as behind a
            proxy that rewrites it: a server that trusts it is found out.
    """

    worker: str
    url: str


class Workers:
    """Base URLs, such as ``http://127.0.0.1:8001``.

    Args:
        urls: At least one URL. http stands for ws too, https for wss.
        route: Chooses the worker to try first; None for all in turn.
    """

    def __init__(self, urls: Sequence[str], route: Route | None = None) -> None:
        if not urls:
            raise UsageError("expected one worker's URL at least, got none; fix: give one")
        self._urls = [url.rstrip("/") for url in urls]
        turn = itertools.count()
        self._first: Route = route or (lambda _path: next(turn))

    def targets(self, public_url: str) -> list[Target]:
        """All workers, in the order in which to try them."""
        public = urlsplit(public_url)
        first = self._first(public.path) % len(self._urls)
        resource = public.path + (f"?{public.query}" if public.query else "")
        targets = []
        for worker in self._urls[first:] + self._urls[:first]:
            base = worker
            if public.scheme in {"ws", "wss"}:
                base = "ws" + worker.removeprefix("http")
            targets.append(Target(worker, base + resource))
        return targets
