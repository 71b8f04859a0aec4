"""Tells whether a URL stays on this machine, from its text alone."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Say whether ``url`` names this machine: ``localhost``, 127.0.0.0/8 or ``::1``.

    Whatever cannot be read, or only resolves to this machine, is not loopback; ``*.localhost`` neither, since not every
    resolver keeps it from a name server (as RFC 6761 asks), and that server could point it elsewhere.
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    host = host.removesuffix(".")
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback  # Python versions differ here
    return address.is_loopback
