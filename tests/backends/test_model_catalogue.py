from __future__ import annotations

from pathlib import Path

import pytest

from hybridchat.backends.model_files.catalogue import CATALOGUE, DEFAULT, STAND_IN, Model, find, readable_size
from hybridchat.errors import ModelMissing


def test_the_default_is_phi_and_the_stand_in_says_that_it_is_one() -> None:
    assert DEFAULT.name == "phi3.5"
    assert [model for model in CATALOGUE.values() if model.stand_in] == [STAND_IN]
    assert STAND_IN.sha256 is not None


def test_a_name_of_the_catalogue_is_its_row() -> None:
    assert find("smollm2") is STAND_IN
    assert STAND_IN.filename == "smollm2.gguf"


@pytest.mark.parametrize(
    ("name", "repo", "file", "stored_as"),
    [
        ("hf:me/Tiny-GGUF/tiny.Q4_0.gguf", "me/Tiny-GGUF", "tiny.Q4_0.gguf", "me--Tiny-GGUF--tiny.Q4_0.gguf"),
        ("hf:me/repo/sub/tiny.GGUF", "me/repo", "sub/tiny.GGUF", "me--repo--sub--tiny.GGUF"),
    ],
)
def test_any_file_of_the_hub_can_be_named(name: str, repo: str, file: str, stored_as: str) -> None:
    model = find(name)
    assert isinstance(model, Model)
    assert (model.name, model.repo, model.file, model.filename) == (name, repo, file, stored_as)


def test_a_path_names_a_local_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find("./own.gguf") == Path("own.gguf")
    assert find("~/own.GGUF") == tmp_path / "own.GGUF"


@pytest.mark.parametrize(
    "name",
    ["", "phi", "hf:me/repo", "hf:me/repo/model.bin", "hf:../repo/x.gguf", "hf:me/repo/../../x.gguf", "hf:me//x.gguf"],
)
def test_any_other_name_is_refused_with_the_ones_that_there_are(name: str) -> None:
    with pytest.raises(ModelMissing) as caught:
        find(name)
    assert caught.value.alternatives == ("phi3.5", "smollm2")
    assert "phi3.5 or smollm2" in caught.value.hint


@pytest.mark.parametrize(("size", "text"), [(2_393_232_672, "2.4 GB"), (98_362_432, "98 MB"), (960_000_000, "1.0 GB")])
def test_sizes_are_told_in_the_units_of_file_sizes(size: int, text: str) -> None:
    assert readable_size(size) == text
