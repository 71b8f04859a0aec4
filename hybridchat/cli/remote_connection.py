"""The connection to the remote server that may be opened before anything is sent."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from hybridchat.backends.presets import remote_endpoint

if TYPE_CHECKING:
    from hybridchat.backends.transport.ahead import OpenedAhead
    from hybridchat.config.settings import Settings


class RemoteConnection:
    """Knows no key. Nothing is built before it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def ahead(self) -> OpenedAhead:
        """What the remote backend opens its connections with."""
        from hybridchat.backends.transport.ahead import OpenedAhead  # noqa: PLC0415 -- httpx is dear to import

        settings = self._settings
        return OpenedAhead(remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts))

    async def open(self) -> None:
        """Open a connection, where there is none; raises what cannot reach a server."""
        await self.ahead.open()

    async def aclose(self) -> None:
        """Close what was opened and not used."""
        if "ahead" in self.__dict__:
            await self.ahead.aclose()
