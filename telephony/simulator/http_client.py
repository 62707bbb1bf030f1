"""The HTTP client of everything simulated that asks our server."""

import ssl
from functools import cache

import certifi
import httpx


def http_client(*, keeps_alive: bool = True, timeout_s: float = 5.0) -> httpx.AsyncClient:
    """A client that takes no proxies from the environment; close it, or enter it.

    Args:
        keeps_alive: Whether a connection is used again for the next request.
        timeout_s: How long it waits for each step of a request, in seconds.
    """
    limits = httpx.Limits(max_keepalive_connections=None if keeps_alive else 0)
    return httpx.AsyncClient(verify=_trust(), trust_env=False, timeout=timeout_s, limits=limits)


@cache
def _trust() -> ssl.SSLContext:
    """The public certificates. To read them takes 20 ms, in which no simulated call goes on."""
    return ssl.create_default_context(cafile=certifi.where())
