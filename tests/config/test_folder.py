from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridchat.config.loading import load
from hybridchat.config.sources import Origin, Source
from hybridchat.errors import BadConfiguration
from hybridchat.messages import DataPolicy


@pytest.fixture
def project(home: Path) -> Path:
    """A folder inside the home folder."""
    project = home / "work" / "project"
    project.mkdir(parents=True)
    return project


def policy(folder: Path, text: str) -> Path:
    path = folder / ".hybridchat.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("user", "folder", "outcome"),
    [
        ("allow", "local-only", DataPolicy.LOCAL_ONLY),
        ("allow", "confirm", DataPolicy.CONFIRM),
        ("confirm", "allow", DataPolicy.CONFIRM),
        ("local-only", "allow", DataPolicy.LOCAL_ONLY),
    ],
)
def test_the_strictest_data_policy_wins(user: str, folder: str, outcome: DataPolicy, project: Path) -> None:
    path = policy(project, f'data_policy = "{folder}"\n')
    result = load(None, {"HYBRIDCHAT_PRIVACY_DATA_POLICY": user}, folder=project)
    assert result.settings.privacy.data_policy is outcome
    origin = Source(Origin.FOLDER, str(path)) if folder == outcome else None
    assert result.source("privacy.data_policy") == (
        origin or Source(Origin.ENVIRONMENT, "HYBRIDCHAT_PRIVACY_DATA_POLICY")
    )


def test_a_folder_alone_cannot_loosen_the_default(project: Path) -> None:
    policy(project, 'data_policy = "allow"\n')
    result = load(None, {}, folder=project)
    assert result.settings.privacy.data_policy is DataPolicy.CONFIRM
    assert result.source("privacy.data_policy").origin is Origin.DEFAULT


def test_of_several_folders_the_strictest_wins_and_words_are_joined(project: Path, home: Path) -> None:
    near = policy(project, 'data_policy = "confirm"\nwords = ["Falcon", "Osprey"]\nmin_confidence = 0.6\n')
    far = policy(home, 'data_policy = "local-only"\nwords = ["Osprey", "Kestrel"]\nmin_confidence = 0.7\n')
    result = load(None, {"HYBRIDCHAT_PRIVACY_WORDS": "Own"}, folder=project)
    assert result.settings.privacy.data_policy is DataPolicy.LOCAL_ONLY
    assert result.settings.privacy.words == ("Own", "Falcon", "Osprey", "Kestrel")
    assert result.settings.routing.min_confidence == 0.7
    assert result.source("routing.min_confidence") == Source(Origin.FOLDER, str(far))
    assert result.source("privacy.words").where == f"HYBRIDCHAT_PRIVACY_WORDS and {near} and {far}"


def test_the_higher_minimum_confidence_of_file_and_folder_holds(project: Path, tmp_path: Path) -> None:
    policy(project, "min_confidence = 0.6\n")
    user = tmp_path / "config.toml"
    for own, outcome in ((0.5, 0.6), (0.9, 0.9)):
        user.write_text(f"[routing]\nmin_confidence = {own}\n")
        assert load(None, {}, user, project).settings.routing.min_confidence == outcome


def test_the_minimum_confidence_said_for_this_run_holds(project: Path) -> None:
    policy(project, "min_confidence = 0.6\n")
    assert load({"routing.min_confidence": 0.2}, {}, folder=project).settings.routing.min_confidence == 0.2


@pytest.mark.parametrize("name", ["key_command", "url", "model", "offline"])
def test_a_folder_may_set_nothing_else(name: str, project: Path) -> None:
    path = policy(project, f'words = []\n{name} = "x"\n')
    with pytest.raises(BadConfiguration) as caught:
        load(None, {}, folder=project)
    assert caught.value.message == f"{path}, line 2: a folder cannot set {name!r}"
    assert "data_policy, words, min_confidence" in caught.value.hint


def test_a_folder_cannot_set_a_section(project: Path) -> None:
    policy(project, "\n[remote]\nkey_command = 'steal'\n")
    with pytest.raises(BadConfiguration, match="line 2: a folder cannot set 'remote'"):
        load(None, {}, folder=project)


@pytest.mark.parametrize("text", ["data_policy = local-only", 'data_policy = "localonly"', 'words = "Falcon"'])
def test_a_policy_that_cannot_be_understood_stops_the_program(text: str, project: Path) -> None:
    path = policy(project, text)
    with pytest.raises(BadConfiguration, match=str(path)):
        load(None, {}, folder=project)


def test_a_policy_that_is_no_file_stops_the_program(project: Path) -> None:
    (project / ".hybridchat.toml").mkdir()
    with pytest.raises(BadConfiguration, match="is not a regular file"):
        load(None, {}, folder=project)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_policy_that_is_a_pipe_stops_the_program_without_waiting_for_it(project: Path) -> None:
    os.mkfifo(project / ".hybridchat.toml")
    with pytest.raises(BadConfiguration, match="is not a regular file"):
        load(None, {}, folder=project)


def test_a_policy_that_links_to_nothing_stops_the_program(project: Path) -> None:
    (project / ".hybridchat.toml").symlink_to("gone")
    with pytest.raises(BadConfiguration, match="points to a file that is not there"):
        load(None, {}, folder=project)


def test_a_policy_that_cannot_be_looked_at_stops_the_program(project: Path) -> None:
    (project / ".hybridchat.toml").symlink_to(".hybridchat.toml")
    with pytest.raises(BadConfiguration, match="cannot look for a data policy at"):
        load(None, {}, folder=project)


def test_above_the_home_folder_nobody_is_asked(project: Path, home: Path) -> None:
    above = policy(home.parent, "not toml at all")
    try:
        assert load(None, {}, folder=project).settings.privacy.data_policy is DataPolicy.CONFIRM
    finally:
        above.unlink()


def test_outside_of_the_home_folder_the_search_goes_up_to_the_root(tmp_path: Path) -> None:
    policy(tmp_path, 'data_policy = "local-only"\n')
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert load(None, {}, folder=deep).settings.privacy.data_policy is DataPolicy.LOCAL_ONLY


def test_the_current_folder_is_the_one_that_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(project, 'data_policy = "local-only"\n')
    monkeypatch.chdir(project)
    assert load(None, {}).settings.privacy.data_policy is DataPolicy.LOCAL_ONLY


@pytest.mark.skipif(os.name == "nt", reason="the current folder cannot be removed there")
def test_a_current_folder_that_is_gone_stops_the_program(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    project.rmdir()
    with pytest.raises(BadConfiguration, match="the current folder no longer exists"):
        load(None, {})
