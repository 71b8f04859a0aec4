from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hybridchat.config.editing import set_value, unset_value
from hybridchat.config.loading import load
from hybridchat.errors import BadConfiguration, CannotWrite, UsageError

KEPT = """\
# mine
[local]  # on this machine
model = "qwen3"  # better

[privacy]
words = ["Falcon"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hybridchat" / "config.toml"


@pytest.fixture
def kept(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text(KEPT)
    return path


def test_a_new_file_is_the_user_s_own(path: Path) -> None:
    assert set_value(path, "local.num_ctx", "8192") == 8192
    assert load(None, {}, path, path.parent).settings.local.num_ctx == 8192
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_comments_and_order_stay(kept: Path) -> None:
    set_value(kept, "local.model", "phi3.5")
    set_value(kept, "privacy.words", "Falcon, Osprey")
    set_value(kept, "routing.bias", "quality")
    assert (
        kept.read_text()
        == KEPT.replace("qwen3", "phi3.5").replace('["Falcon"]', '["Falcon", "Osprey"]')
        + '\n[routing]\nbias = "quality"\n'
    )


@pytest.mark.parametrize("text", ['local.model = "x"\n', 'local = { model = "x" }\n', "[local]\n[answer]\nseed = 1\n"])
def test_every_way_of_writing_a_table_can_be_edited(text: str, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(text)
    set_value(path, "local.model", "y")
    set_value(path, "local.num_ctx", "1")
    local = load(None, {}, path, path.parent).settings.local
    assert (local.model, local.num_ctx) == ("y", 1)


def test_a_value_is_removed(kept: Path) -> None:
    assert unset_value(kept, "local.model") is True
    assert kept.read_text() == KEPT.replace('model = "qwen3"  # better\n', "")
    assert unset_value(kept, "local.model") is False
    assert unset_value(kept, "routing.bias") is False


@pytest.mark.parametrize(("key", "text"), [("local.num_ctx", "no"), ("local.modle", "x"), ("privacy.data_policy", "")])
def test_a_wrong_key_or_value_changes_nothing(key: str, text: str, kept: Path) -> None:
    with pytest.raises(UsageError):
        set_value(kept, key, text)
    assert kept.read_text() == KEPT


def test_a_wrong_value_can_be_corrected(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[local]\nnum_ctx = -1\n")
    set_value(path, "local.num_ctx", "4096")
    assert path.read_text() == "[local]\nnum_ctx = 4096\n"


@pytest.mark.parametrize("text", ["[remote]\nurll = ''\n", "local = 3\n", "not toml"])
def test_a_file_that_stays_wrong_is_not_written(text: str, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises((BadConfiguration, UsageError)):
        set_value(path, "local.model", "x")
    assert path.read_text() == text


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_stays_a_link(kept: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(kept)
    set_value(link, "local.model", "other")
    assert link.is_symlink()
    assert 'model = "other"' in kept.read_text()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot write"):
        set_value(tmp_path / "file" / "config.toml", "local.model", "x")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left") as caught:
        set_value(kept, "local.model", "x")
    assert caught.value.exit_code == 74
    assert kept.read_text() == KEPT
    assert list(kept.parent.iterdir()) == [kept]
