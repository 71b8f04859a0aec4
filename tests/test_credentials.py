from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.core
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from hybridchat import credentials
from hybridchat.credentials import Credentials, Key, command
from hybridchat.errors import KeyMissing, KeyUnusable

SECRET = "hf_Secret0123456789"
HOST = "router.huggingface.co"


class MemoryKeyring(KeyringBackend):
    """Keeps entries as an OS keyring does."""

    priority: float = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.threads: list[threading.Thread] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.append(threading.current_thread())
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError("no such password")
        del self.entries[service, username]


class PlainFileKeyring(MemoryKeyring):
    """Stands for the backends that keep keys in a plain file."""

    priority = 0.5


class FailingKeyring(MemoryKeyring):
    """Raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class StuckKeyring(MemoryKeyring):
    """Asks a user who does not answer until ``answered`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.append(threading.current_thread())
        self.asked.set()
        self.answered.wait()
        return SECRET


@pytest.fixture(autouse=True)
def _forget_the_keyring() -> Iterator[None]:
    keyring.core._keyring_backend = None
    yield
    keyring.core._keyring_backend = None


@pytest.fixture
def memory() -> MemoryKeyring:
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    return memory


def program(path: Path, text: str) -> str:
    """A command line that runs a Python program."""
    path.write_text(text, encoding="utf-8")
    return f'"{sys.executable}" "{path}"'


@pytest.fixture
def key() -> Key:
    return Key(SECRET, "somewhere")


def test_a_key_shows_itself_to_nobody_who_does_not_ask(key: Key) -> None:
    assert key.reveal() == SECRET
    shown = [repr(key), str(key), f"{key}", f"{key!s:>80}", f"{key:>80}", repr([key])]
    assert not [text for text in shown if SECRET in text]
    assert f"{key:<20}|" == "<key from somewhere>|"
    assert not hasattr(key, "__dict__")


def test_a_key_is_neither_pickled_nor_copied(key: Key) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not written anywhere"):
            attempt(key)


async def test_the_environment_comes_first(memory: MemoryKeyring, tmp_path: Path) -> None:
    environ = {"HYBRIDCHAT_KEY_HUGGINGFACE": f" {SECRET}\n", "HF_TOKEN": "hf_other"}
    keys = Credentials({"huggingface": program(tmp_path / "never.py", "raise SystemExit(1)")}, environ)
    key = await keys.find("huggingface", HOST, ["HF_TOKEN"])
    assert (key.reveal(), key.source) == (SECRET, "environment variable HYBRIDCHAT_KEY_HUGGINGFACE")
    assert memory.threads == []


async def test_the_provider_s_own_variable_is_used_where_it_is_named() -> None:
    keys = Credentials(environ={"HF_TOKEN": SECRET, "HYBRIDCHAT_KEY_HUGGINGFACE": " "})
    assert (await keys.find("huggingface", HOST, ("OTHER", "HF_TOKEN"))).source == "environment variable HF_TOKEN"
    with pytest.raises(KeyMissing):
        await keys.find("huggingface", "elsewhere.example")


def test_a_name_becomes_a_variable() -> None:
    assert credentials.variable("my-azure.eu") == "HYBRIDCHAT_KEY_MY_AZURE_EU"


async def test_a_command_comes_before_the_keyring(memory: MemoryKeyring, tmp_path: Path) -> None:
    memory.set_password("hybridchat", f"huggingface@{HOST}", "hf_stored")
    line = program(tmp_path / "a key.py", f"import sys; assert sys.stdin.read() == ''; print('  {SECRET}')")
    key = await Credentials({"huggingface": line}, {}).find("huggingface", HOST)
    assert key.reveal() == SECRET
    assert key.source.startswith("the command ")
    assert memory.threads == []


async def test_a_command_that_fails_says_its_first_line_made_safe(tmp_path: Path) -> None:
    text = "import sys; print('x'); sys.stderr.write('\\x1b[31mvault is sealed\\n  second line'); sys.exit(3)"
    with pytest.raises(KeyMissing, match=r"failed with status 3: \[31mvault is sealed$") as caught:
        await Credentials({"n": program(tmp_path / "p.py", text)}, {}).find("n")
    assert "HYBRIDCHAT_KEY_N" in caught.value.hint


async def test_a_command_that_fails_in_silence_says_its_status(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match=r"failed with status 4$"):
        await Credentials({"n": program(tmp_path / "p.py", "raise SystemExit(4)")}, {}).find("n")


async def test_a_command_that_never_ends_is_ended(tmp_path: Path) -> None:
    text = f"import time; print('{SECRET}', flush=True); time.sleep(3600)"
    with pytest.raises(KeyMissing, match=r"did not end within 0\.5 s") as caught:
        await Credentials({"n": program(tmp_path / "p.py", text)}, {}, timeout=0.5).find("n")
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/nowhere/program --key", "/nowhere/program cannot be run: No such file"),
        ("pass 'open", "cannot be read: No closing quotation"),
        ("   ", "command is empty"),
        ("pro\0gram", "cannot be run: embedded null byte"),
    ],
)
async def test_a_command_that_cannot_be_run_is_an_error(line: str, message: str) -> None:
    with pytest.raises(KeyMissing, match=message):
        await Credentials({"n": line}, {}).find("n")


@pytest.mark.parametrize(
    ("output", "message"),
    [(b"", "is empty"), (b"one\ntwo", "has spaces"), (b"\xff\xfe", "has spaces"), ("schlüssel".encode(), "has spaces")],
)
async def test_a_command_that_prints_no_key_is_an_error(output: bytes, message: str, tmp_path: Path) -> None:
    text = f"import sys; sys.stdout.buffer.write({output!r})"
    with pytest.raises(KeyUnusable, match=rf"what the command .* printed {message}"):
        await Credentials({"n": program(tmp_path / "p.py", text)}, {}).find("n")


async def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    line = program(tmp_path / "p.py", "import sys; print('-'.join(sys.argv[1:]))") + " $HOME ; `id`"
    assert (await Credentials({"n": line}, {}).find("n")).reveal() == "$HOME-;-`id`"


def test_a_backslash_separates_folders_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    assert command._arguments(r'"C:\Program Files\op.exe" read', "") == [r"C:\Program Files\op.exe", "read"]


async def test_a_key_is_kept_in_the_keyring_for_its_host(memory: MemoryKeyring) -> None:
    keys = Credentials(environ={})
    await keys.store("huggingface", f"{SECRET}\n", "Router.HuggingFace.co")
    assert memory.entries == {("hybridchat", f"huggingface@{HOST}"): SECRET}
    key = await keys.find("huggingface", HOST)
    assert (key.reveal(), key.source) == (SECRET, "the OS keyring")
    for other in ("", "evil.example", f"{HOST}:8443", f"{HOST}.evil.example"):
        with pytest.raises(KeyMissing, match="no key is stored for huggingface"):
            await keys.find("huggingface", other)


async def test_a_key_without_a_host_stands_under_its_name(memory: MemoryKeyring) -> None:
    await Credentials(environ={}).store("vllm", SECRET)
    assert memory.entries == {("hybridchat", "vllm"): SECRET}


async def test_the_keyring_is_asked_in_a_thread_that_no_exit_waits_for(memory: MemoryKeyring) -> None:
    with pytest.raises(KeyMissing):
        await Credentials(environ={}).find("n")
    (thread,) = memory.threads
    assert thread.daemon
    assert thread is not threading.main_thread()


async def test_a_missing_key_says_how_to_store_it(memory: MemoryKeyring) -> None:
    with pytest.raises(KeyMissing) as caught:
        await Credentials(environ={}).find("huggingface", HOST)
    assert caught.value.exit_code == 77
    for what in ("hybridchat keys set huggingface", "HYBRIDCHAT_KEY_HUGGINGFACE", "hf auth token"):
        assert what in caught.value.hint
    with pytest.raises(KeyMissing) as caught:
        await Credentials(environ={}).find("nvidia")
    assert "hf auth" not in caught.value.hint


async def test_a_key_is_removed(memory: MemoryKeyring) -> None:
    keys = Credentials(environ={})
    await keys.store("n", SECRET, "h")
    assert await keys.remove("n") is False
    assert await keys.remove("n", "h") is True
    assert memory.entries == {}


@pytest.mark.parametrize(
    "value", ["", " \n", "two words", "line\nbreak", "esc\x1b[31m", "nül", "a\u200bb", "x" + "\x7f"]
)
async def test_what_cannot_be_a_key_is_refused_and_never_shown(value: str, memory: MemoryKeyring) -> None:
    with pytest.raises(KeyUnusable) as caught:
        await Credentials(environ={}).store("n", value)
    assert not value.strip() or value.strip() not in caught.value.message + caught.value.hint
    assert memory.entries == {}


async def test_what_was_stored_by_others_is_checked_too(memory: MemoryKeyring) -> None:
    memory.set_password("hybridchat", "n", "two words")
    with pytest.raises(KeyUnusable, match="the key in the keyring has spaces"):
        await Credentials(environ={}).find("n")
    with pytest.raises(KeyUnusable, match="the key in HYBRIDCHAT_KEY_N has spaces"):
        await Credentials(environ={"HYBRIDCHAT_KEY_N": "two words"}).find("n")


@pytest.mark.parametrize(
    ("name", "host"), [("", ""), ("a@b", ""), ("a b", ""), ("n", "user@h"), ("n", "h/path"), ("n", "h\n")]
)
async def test_names_and_hosts_cannot_be_mixed_up(name: str, host: str, memory: MemoryKeyring) -> None:
    with pytest.raises(KeyUnusable, match="cannot be a key's"):
        await Credentials(environ={}).store(name, SECRET, host)


async def test_a_list_says_where_each_key_comes_from_without_running_commands(
    memory: MemoryKeyring, tmp_path: Path
) -> None:
    memory.set_password("hybridchat", "stored@h", SECRET)
    trap = tmp_path / "ran"
    line = program(tmp_path / "p.py", f"open({str(trap)!r}, 'w')")
    keys = Credentials({"command": line}, {"HF_TOKEN": SECRET})
    listed = await keys.list(
        [("env", "h", ["HF_TOKEN"]), ("command", "h", ()), ("stored", "h", ()), ("stored", "other", ())]
    )
    sources = [one.source for one in listed]
    assert sources[0] == "environment variable HF_TOKEN"
    assert str(sources[1]).startswith("the command ")
    assert sources[2:] == ["the OS keyring", None]
    assert not trap.exists()
    assert SECRET not in repr(listed)


async def test_a_list_says_why_nobody_could_look() -> None:
    (listed,) = await Credentials(environ={}).list([("n", "", ())])
    assert listed.source is None
    assert isinstance(listed.problem, KeyMissing)


async def test_no_keyring_at_all_says_what_to_do_without_one() -> None:
    keys = Credentials(environ={})
    with pytest.raises(KeyMissing, match=r"there is no safe keyring here, only keyring\.backends\.fail\.Keyring") as e:
        await keys.find("nvidia")
    assert "HYBRIDCHAT_KEY_NVIDIA" in e.value.hint
    assert "remote.key_command" in e.value.hint
    with pytest.raises(KeyMissing):
        await keys.store("nvidia", SECRET)
    with pytest.raises(KeyMissing):
        await keys.remove("nvidia")


@pytest.mark.parametrize("unsafe", [PlainFileKeyring, NullKeyring])
async def test_an_unsafe_keyring_is_refused(unsafe: type[KeyringBackend]) -> None:
    keyring.set_keyring(unsafe())
    with pytest.raises(KeyMissing, match="there is no safe keyring here"):
        await Credentials(environ={}).store("n", SECRET)


async def test_a_keyring_in_a_plain_file_is_refused_whatever_its_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryKeyring, "__module__", "keyrings.alt.file")
    keyring.set_keyring(MemoryKeyring())
    with pytest.raises(KeyMissing, match=r"only keyrings\.alt\.file\.MemoryKeyring"):
        await Credentials(environ={}).store("n", SECRET)


async def test_an_unsafe_keyring_can_be_asked_for() -> None:
    plain = PlainFileKeyring()
    keyring.set_keyring(plain)
    await Credentials(environ={}, allow_unsafe=True).store("n", SECRET)
    assert plain.entries == {("hybridchat", "n"): SECRET}


async def test_a_keyring_that_forgets_is_noticed() -> None:
    keyring.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]
    keys = Credentials(environ={}, allow_unsafe=True)
    with pytest.raises(KeyMissing, match="took the key but did not keep it"):
        await keys.store("n", SECRET)
    with pytest.raises(KeyMissing):
        await keys.own_secrets.get_or_make("ledger", lambda: b"x")


async def test_of_a_chain_the_first_safe_keyring_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, safe = PlainFileKeyring(), MemoryKeyring()
    monkeypatch.setattr(ChainerBackend, "backends", [plain, safe])
    keyring.set_keyring(ChainerBackend())  # type: ignore[no-untyped-call]
    await Credentials(environ={}).store("n", SECRET)
    assert (plain.entries, safe.entries) == ({}, {("hybridchat", "n"): SECRET})


async def test_a_chain_without_a_safe_keyring_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChainerBackend, "backends", [PlainFileKeyring()])
    keyring.set_keyring(ChainerBackend())  # type: ignore[no-untyped-call]
    with pytest.raises(KeyMissing, match="there is no safe keyring here"):
        await Credentials(environ={}).store("n", SECRET)


@pytest.mark.parametrize(
    "name",
    ["nowhere.Keyring", "keyring.backends.fail.Nope", "nodots", "os.path", "keyring.backends.Windows.WinVaultKeyring"],
)
async def test_a_backend_that_does_not_exist_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32" and "Windows" in name:
        pytest.skip("this one exists here")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    with pytest.raises(KeyMissing, match="the configured keyring cannot be loaded") as caught:
        await Credentials(environ={}).find("n")
    assert "PYTHON_KEYRING_BACKEND" in caught.value.hint


async def test_a_broken_installation_of_keyring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring.core", None)
    with pytest.raises(KeyMissing, match="keyring cannot be loaded"):
        await Credentials(environ={}).find("n")


@pytest.mark.parametrize("error", [KeyringLocked("Failed to unlock"), RuntimeError("no bus"), ImportError("no dbus")])
async def test_what_a_keyring_says_is_passed_on(error: Exception) -> None:
    keyring.set_keyring(FailingKeyring(error))
    with pytest.raises(KeyMissing, match=f"the keyring cannot be used: {error}") as caught:
        await Credentials(environ={}).find("n")
    assert caught.value.__cause__ is error


async def test_what_a_library_below_the_keyring_raises_is_not_shown() -> None:
    keyring.set_keyring(FailingKeyring(OSError(f"stub received bad data: {SECRET}")))
    with pytest.raises(KeyMissing, match="the keyring failed with OSError") as caught:
        await Credentials(environ={}).store("n", SECRET)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def stuck() -> Iterator[StuckKeyring]:
    stuck = StuckKeyring()
    keyring.set_keyring(stuck)
    yield stuck
    stuck.answered.set()
    for thread in stuck.threads:
        thread.join()


async def test_a_keyring_that_does_not_answer_is_given_up(stuck: StuckKeyring) -> None:
    with pytest.raises(KeyMissing, match=r"did not answer within 0\.2 s") as caught:
        await Credentials(environ={}, timeout=0.2).find("n")
    assert "Unlock it" in caught.value.hint
    with pytest.raises(KeyMissing):
        await Credentials(environ={}, timeout=0.2).own_secrets.get_or_make("ledger", lambda: b"x")


async def test_an_answer_that_comes_too_late_is_ignored(stuck: StuckKeyring) -> None:
    with pytest.raises(KeyMissing):
        await Credentials(environ={}, timeout=0.2).find("n")
    stuck.answered.set()
    await asyncio.to_thread(stuck.threads[0].join)
    await asyncio.sleep(0)  # lets the loop take in what the thread delivered


def test_an_answer_that_comes_after_the_loop_is_ignored(stuck: StuckKeyring) -> None:
    with pytest.raises(KeyMissing):
        asyncio.run(Credentials(environ={}, timeout=0.2).find("n"))
    stuck.answered.set()
    stuck.threads[0].join()


async def test_waiting_for_the_keyring_can_be_cancelled(stuck: StuckKeyring) -> None:
    task = asyncio.create_task(Credentials(environ={}).find("n"))
    await asyncio.to_thread(stuck.asked.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_stuck_keyring_keeps_no_process_from_ending() -> None:
    text = """
import asyncio, threading, keyring
from keyring.backend import KeyringBackend
from hybridchat.credentials import Credentials
from hybridchat.errors import KeyMissing
class Stuck(KeyringBackend):
    priority = 5
    def get_password(self, service, username): threading.Event().wait()
    set_password = delete_password = get_password
keyring.set_keyring(Stuck())
try:
    asyncio.run(Credentials(environ={}, timeout=0.2).find("n"))
except KeyMissing as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    assert "did not answer" in done.stdout


async def test_a_secret_of_our_own_is_made_once(memory: MemoryKeyring) -> None:
    keys = Credentials(environ={"HYBRIDCHAT_KEY_LEDGER": "not this"})
    first = await keys.own_secrets.get_or_make("ledger", lambda: os.urandom(32))
    assert len(first) == 32
    assert await keys.own_secrets.get_or_make("ledger", lambda: os.urandom(32)) == first
    assert list(memory.entries) == [("hybridchat", "secret:ledger")]


async def test_where_two_processes_make_a_secret_both_use_what_the_keyring_kept() -> None:
    class Contended(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            super().set_password(service, username, "b3RoZXI=")

    keyring.set_keyring(Contended())
    assert await Credentials(environ={}).own_secrets.get_or_make("ledger", lambda: b"ours") == b"other"


async def test_without_a_safe_keyring_there_is_no_secret() -> None:
    with pytest.raises(KeyMissing):
        await Credentials(environ={}).own_secrets.get_or_make("ledger", lambda: b"x")
    keyring.set_keyring(FailingKeyring(KeyringError("locked")))
    with pytest.raises(KeyMissing):
        await Credentials(environ={}).own_secrets.get_or_make("ledger", lambda: b"x")


@pytest.mark.parametrize("entry", ["no base64!", "schlüssel"])
async def test_a_damaged_secret_is_not_replaced(entry: str, memory: MemoryKeyring) -> None:
    memory.set_password("hybridchat", "secret:ledger", entry)
    with pytest.raises(KeyUnusable, match="secret:ledger is damaged"):
        await Credentials(environ={}).own_secrets.get_or_make("ledger", lambda: b"x")
    assert memory.entries["hybridchat", "secret:ledger"] == entry


async def test_a_secret_of_our_own_is_replaced_and_forgotten(memory: MemoryKeyring) -> None:
    secrets = Credentials(environ={}).own_secrets
    assert await secrets.get("head") is None
    assert not await secrets.forget("head")
    await secrets.keep("head", b"one")
    await secrets.keep("head", b"two")
    assert await secrets.get("head") == b"two"
    assert await secrets.forget("head")
    assert memory.entries == {}


async def test_a_secret_that_the_keyring_does_not_keep_is_an_error() -> None:
    keyring.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]
    secrets = Credentials(environ={}, allow_unsafe=True).own_secrets
    with pytest.raises(KeyMissing, match="did not keep it"):
        await secrets.keep("head", b"one")


async def test_a_passphrase_comes_from_the_environment_or_a_command() -> None:
    assert await Credentials(environ={}).passphrase("store") is None
    found = await Credentials(environ={"HYBRIDCHAT_KEY_STORE": "zwölf Boxkämpfer "}).passphrase("store", "false")
    assert (found and found.reveal()) == "zwölf Boxkämpfer "
    found = await Credentials(environ={}).passphrase("store", f"{sys.executable} -c \"print('with a space')\"")
    assert (found and found.reveal()) == "with a space"
    with pytest.raises(KeyMissing, match="failed with status"):
        await Credentials(environ={}).passphrase("store", f'{sys.executable} -c "raise SystemExit(3)"')


def test_keyring_is_not_imported_before_a_key_is_looked_up() -> None:
    text = "import sys, hybridchat.credentials; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
