from __future__ import annotations

from hybridchat.cli.remote_connection import RemoteConnection
from hybridchat.config.settings import RemoteSettings, Settings
from tests.backends.test_connection_ahead import listening


async def test_it_connects_without_a_key_and_closes_what_was_not_used() -> None:
    async with listening() as server:
        connection = RemoteConnection(Settings(remote=RemoteSettings(preset="custom", url=server.url, model="llama")))
        await connection.open()
        await connection.aclose()
        assert await server.gone.get() == b""


async def test_what_was_never_opened_needs_no_closing() -> None:
    await RemoteConnection(Settings()).aclose()
