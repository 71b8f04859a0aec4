from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hybridchat.errors import BadConfiguration
from hybridchat.evaluation.calibrations import Calibrations, template_digest
from hybridchat.routing.policy import LocalModel
from hybridchat.routing.prior import FittedModel, Prior, shipped

PHI = LocalModel("phi3.5", "sha256:1")


def fitted(model: FittedModel) -> Prior:
    return msgspec.structs.replace(shipped(), model=model)


@pytest.fixture
def kept(tmp_path: Path) -> Calibrations:
    return Calibrations(tmp_path / "calibrations", "Be brief.")


def test_a_calibration_is_found_for_its_model_alone(kept: Calibrations) -> None:
    assert kept.find(PHI) is None
    prior = fitted(kept.live(PHI))
    kept.save(prior)
    assert kept.find(PHI) == prior
    assert kept.find(LocalModel("phi3.5", "sha256:2")) is None
    assert kept.find(LocalModel("hf:phi3.5", "sha256:1")) is None
    assert kept.of("phi3.5") == prior
    assert list(kept.all()) == [prior]


def test_a_second_calibration_takes_the_place_of_the_first(kept: Calibrations) -> None:
    kept.save(fitted(kept.live(PHI)))
    newer = fitted(kept.live(LocalModel("phi3.5", "sha256:2")))
    kept.save(newer)
    assert list(kept.all()) == [newer]
    assert kept.find(PHI) is None


def test_names_that_look_alike_have_files_of_their_own(kept: Calibrations) -> None:
    names = ["a/b", "a-b", "a:b", "x" * 90, "x" * 91, "..", "../up"]
    assert len({kept.path(name) for name in names}) == len(names)
    assert {kept.path(name).parent for name in names} == {kept.path("a").parent}


def test_what_is_broken_or_was_planted_counts_as_missing(kept: Calibrations) -> None:
    path = kept.save(fitted(kept.live(PHI)))
    path.write_bytes(b"{}")
    assert kept.of("phi3.5") is None
    path.write_bytes(msgspec.json.encode(shipped()))
    assert kept.of("phi3.5") is None
    path.write_bytes(msgspec.json.encode(fitted(kept.live(PHI))))
    path.chmod(0o644)
    assert list(kept.all()) == []


def test_another_system_prompt_needs_another_calibration(tmp_path: Path) -> None:
    brief, plain = Calibrations(tmp_path, "Be brief."), Calibrations(tmp_path)
    brief.save(fitted(brief.live(PHI)))
    assert brief.find(PHI) is not None
    assert plain.find(PHI) is None
    assert template_digest("") is None


def test_answers_are_gathered_apart_for_each_model_and_each_set_of_questions(kept: Calibrations) -> None:
    model, other = kept.live(PHI), kept.live(LocalModel("phi3.5", "sha256:2"))
    files = {kept.work_file(model, "a"), kept.work_file(model, "b"), kept.work_file(other, "a")}
    assert len(files) == 3
    assert kept.work_file(model, "a") in files


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "calibrations").write_text("")
    kept = Calibrations(tmp_path / "calibrations")
    with pytest.raises(BadConfiguration, match="not a folder"):
        kept.save(fitted(kept.live(PHI)))
