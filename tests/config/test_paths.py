from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from hybridchat.errors import BadConfiguration

USUAL = StoreSettings()


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="spelled for Linux")
def test_the_system_s_own_places_are_used(home: Path) -> None:
    data = home / ".local" / "share" / "hybridchat"
    assert paths.config_file() == home / ".config" / "hybridchat" / "config.toml"
    assert paths.data_folder(USUAL) == data
    assert paths.database_file(USUAL) == data / "hybridchat.db"
    assert paths.models_folder(USUAL) == data / "models"
    assert paths.runtime_folder() == home / "run" / "hybridchat"
    assert paths.cache_folder() == home / ".cache" / "hybridchat"


def test_asking_for_a_place_creates_nothing(home: Path) -> None:
    before = sorted(home.rglob("*"))
    for place in (paths.config_file(), paths.database_file(USUAL), paths.models_folder(USUAL)):
        assert not place.exists()
    assert paths.runtime_folder().name
    assert paths.cache_folder().name
    assert sorted(home.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have such a folder")
def test_a_login_without_a_runtime_folder_gets_one_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    places = [paths.runtime_folder() for _ in range(2)]
    assert places[0] == places[1], "the same each time"
    assert places[0] in {home / ".local/state/hybridchat/run", Path(f"/run/user/{os.geteuid()}/hybridchat")}


def test_configured_places_are_used(home: Path, tmp_path: Path) -> None:
    store = StoreSettings(path="~/kept", models=str(tmp_path))
    assert paths.database_file(store) == home / "kept" / "hybridchat.db"
    assert paths.models_folder(store) == tmp_path


def test_a_home_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(BadConfiguration, match="no home folder is known for '~nobody-of-this-name/x'"):
        paths.expanded("~nobody-of-this-name/x")
