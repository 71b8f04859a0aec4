"""Presents an API key to the one server that it is meant for, and keeps it out of everything that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from hybridchat.config.settings import Auth
from hybridchat.errors import BadConfiguration

if TYPE_CHECKING:
    from collections.abc import Generator

    from hybridchat.config.settings import Endpoint


class KeyHeader(httpx.Auth):
    """Adds the key's header to requests to the endpoint's own scheme, host and port, and to no other.

    Raises ``BadConfiguration`` for a key that no header can carry.
    """

    def __init__(self, endpoint: Endpoint, key: str) -> None:
        key = key.strip()
        if not (key.isascii() and key.isprintable()):
            raise BadConfiguration(
                f"the key for {endpoint.name} has characters that cannot be sent",
                hint=f"enter it again: `hybridchat keys set {endpoint.key_name or endpoint.name}`",
            )
        self._key = key
        self._bearer = endpoint.auth is not Auth.API_KEY
        self._origin = _origin(httpx.URL(endpoint.url))

    def __repr__(self) -> str:
        return "KeyHeader(...)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header and send once."""
        if _origin(request.url) == self._origin:
            name, value = ("Authorization", f"Bearer {self._key}") if self._bearer else ("api-key", self._key)
            request.headers[name] = value
        yield request

    def hidden_in(self, text: bytes) -> bytes:
        """Return ``text`` without the key, since some servers repeat it when they refuse it."""
        return text.replace(self._key.encode(), b"[key]")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
