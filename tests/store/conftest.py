from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hybridchat.messages import Place, Provenance
from hybridchat.store.database import Store

LOCAL = Provenance(place=Place.LOCAL, endpoint="ollama", model="phi3.5", reason="The local model answers first.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "hybridchat.db"


@pytest.fixture(params=["file", "memory"])
async def store(request: pytest.FixtureRequest, path: Path) -> AsyncGenerator[Store]:
    async with Store.open(path if request.param == "file" else None) as store:
        yield store
