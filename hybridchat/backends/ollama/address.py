"""Reads ``OLLAMA_HOST`` the way the Ollama server does, as the address that a client can reach.

Source: ``envconfig.Host`` of the Ollama server. Two differences are meant: a server may listen on all interfaces,
which a client cannot connect to everywhere, so that becomes loopback; and what the server replaces by a default
with a line in its log is an error here, because a prompt should not go to a server that nobody named.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

from hybridchat.errors import BadConfiguration

DEFAULT_URL = "http://127.0.0.1:11434"

_DEFAULT_PORTS = {"": 11434, "http": 80, "https": 443}
_LOOPBACK_FOR = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
_HINT = "Write OLLAMA_HOST like 127.0.0.1:11434 or https://host:port."


def host_url(value: str) -> str:
    """Return the base URL, with a port and without a slash at its end, that ``value`` means.

    Scheme, port and path may be missing. Raises ``BadConfiguration`` for whatever the server would not understand.
    """
    value = value.strip().strip("\"'").strip()
    if value == "ollama.com":
        return "https://ollama.com:443"
    scheme, found, rest = value.partition("://")
    if not found:
        scheme, rest = "", value
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS or (found and not scheme):
        raise BadConfiguration(f"OLLAMA_HOST has the unknown scheme {scheme!r}", hint=_HINT)
    authority, _, path = rest.partition("/")
    if "@" in authority:
        raise BadConfiguration("OLLAMA_HOST may not hold a user name or a password", hint=_HINT)
    if re.search(r"[\s?#\\]|^/", path):
        raise BadConfiguration(f"OLLAMA_HOST has an unusable path {path!r}", hint=_HINT)
    host, port = _host_and_port(authority)
    host = _LOOPBACK_FOR.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme or 'http'}://{shown}:{_port(port, _DEFAULT_PORTS[scheme])}/{path}".rstrip("/")


def _host_and_port(authority: str) -> tuple[str, str]:
    try:
        return str(IPv6Address(authority)), ""  # without brackets there can be no port
    except ValueError:
        pass
    if bracketed := re.fullmatch(r"\[([^\]]*)\](?::(.*))?", authority):
        try:
            return str(IPv6Address(bracketed[1])), bracketed[2] or ""
        except ValueError as error:
            raise BadConfiguration(f"OLLAMA_HOST has a bad IPv6 address {bracketed[1]!r}", hint=_HINT) from error
    host, _, port = authority.partition(":")
    if re.fullmatch(r"[\d.]+", host):
        try:
            return str(ip_address(host)), port
        except ValueError as error:
            raise BadConfiguration(f"OLLAMA_HOST has a bad IP address {host!r}", hint=_HINT) from error
    if host and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", host):
        raise BadConfiguration(f"OLLAMA_HOST has a bad host name {host!r}", hint=_HINT)
    return host.lower(), port


def _port(text: str, default: int) -> int:
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= 65535:
        raise BadConfiguration(f"OLLAMA_HOST has a bad port {text!r}", hint=_HINT)
    return int(text)
