"""Which addresses a tool may connect to: by default none of a private network, whatever its name.

The name is resolved once, and that address is connected to. So a name cannot be allowed first and
stand for another address then.
"""

import asyncio
import ipaddress
import socket

TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Stands for all IPv4 addresses, in networks that translate them (RFC 6052)."""


class NotAllowed(Exception):  # noqa: N818 - what it is, not that it is an error
    """The host has an address in a private network."""


async def address_of(host: str, port: int, *, allow_private: bool) -> str:
    """An address of a host.

    Raises:
        NotAllowed: See there; one such address among several is enough.
        OSError: The name is not found.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    if not allow_private and not all(map(is_public, addresses)):
        raise NotAllowed
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if parsed in TRANSLATED:
            inner = ipaddress.IPv4Address(parsed.packed[-4:])
        if inner is not None:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast
