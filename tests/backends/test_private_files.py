from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hybridchat.backends.private_files import private_folder, read_private, write_private
from hybridchat.errors import BadConfiguration, CannotWrite

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are told otherwise on Windows")


@pytest.fixture
def as_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert private_folder(tmp_path / "open").stat().st_mode & 0o777 == 0o700


def test_another_users_folder_is_refused(tmp_path: Path, as_another_user: None) -> None:
    with pytest.raises(BadConfiguration, match="another user"):
        private_folder(tmp_path)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfiguration, match="not a folder"):
        private_folder(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_told() -> None:
    with pytest.raises(CannotWrite) as caught:
        private_folder(Path("/proc/hybridchat"))
    assert caught.value.hint


def test_what_was_written_is_read_again_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "inside").touch()
    with pytest.raises(CannotWrite):
        write_private(tmp_path / "state", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_others_may_have_touched_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_private(path, b"one")
    (tmp_path / "link").symlink_to(path)
    assert read_private(tmp_path / "link") is None
    assert read_private(tmp_path) is None
    assert read_private(tmp_path / "missing") is None
    path.chmod(0o644)
    assert read_private(path) is None


def test_another_users_file_is_not_trusted(tmp_path: Path, as_another_user: None) -> None:
    path = tmp_path / "state"
    write_private(path, b"one")
    assert read_private(path) is None
