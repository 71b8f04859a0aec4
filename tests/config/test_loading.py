from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from hybridchat.config import keys, paths
from hybridchat.config.loading import Flag, Loaded, load
from hybridchat.config.settings import Bias, Settings
from hybridchat.config.sources import DEFAULT, Origin, Source
from hybridchat.errors import BadConfiguration, UsageError
from hybridchat.messages import DataPolicy

Write = Callable[[str], Path]


@pytest.fixture
def write(home: Path) -> Write:
    """Writes the user's file in its usual place."""

    def write(text: str) -> Path:
        path = paths.config_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder without a policy."""
    return tmp_path


def loaded(folder: Path, flags: dict[str, object] | None = None, /, **environ: str) -> Loaded:
    return load(flags, environ, folder=folder)


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows itself says where the user's file is")


def test_every_setting_has_a_form_and_every_form_a_setting() -> None:
    defaults = Settings()
    shapes = [
        f"{section.name}.{field.name}"
        for section in fields(defaults)
        if is_dataclass(part := getattr(defaults, section.name))
        for field in fields(part)
    ]
    assert sorted(shapes) == sorted(keys.FORMS)


def test_every_default_is_what_its_form_expects() -> None:
    for setting in load(None, {}, folder=Path("/")):
        if setting.value is not None:
            assert keys.FORMS[setting.key].check(setting.value) == setting.value


def test_nothing_configured_means_the_defaults(nowhere: Path) -> None:
    result = loaded(nowhere)
    assert result.settings == Settings()
    assert {setting.source for setting in result} == {DEFAULT}
    assert str(result.source("local.model")) == "default"


def test_flags_come_before_the_environment_before_the_file_before_the_defaults(write: Write, nowhere: Path) -> None:
    path = write('[local]\nmodel = "file"\nkeep_alive = "1h"\nbackend = "vllm"\n')
    result = loaded(
        nowhere,
        {"local.model": Flag("--model", "flag"), "local.url": None},
        HYBRIDCHAT_LOCAL_MODEL="environment",
        HYBRIDCHAT_LOCAL_BACKEND="llama.cpp",
    )
    local = result.settings.local
    assert (local.model, local.backend, local.keep_alive, local.num_ctx) == ("flag", "llama.cpp", "1h", 4096)
    assert result.source("local.model") == Source(Origin.FLAG, "--model")
    assert str(result.source("local.backend")) == "environment HYBRIDCHAT_LOCAL_BACKEND"
    assert result.source("local.keep_alive") == Source(Origin.FILE, str(path))
    assert result.source("local.num_ctx") == DEFAULT
    assert result.settings.user_file == path


def test_every_kind_of_value_is_read_from_the_environment_and_from_the_file(write: Write, nowhere: Path) -> None:
    environ = {
        "HYBRIDCHAT_LOCAL_NUM_CTX": "8192",
        "HYBRIDCHAT_LOCAL_TRUSTED_HOSTS": "one.lan, two.lan,",
        "HYBRIDCHAT_REMOTE_URL": "https://example.org:8443/v1",
        "HYBRIDCHAT_REMOTE_KEY_NAME": "my-provider",
        "HYBRIDCHAT_REMOTE_PRICE_INPUT": "0.5",
        "HYBRIDCHAT_ANSWER_SYSTEM": "Be brief.\nBe kind.",
        "HYBRIDCHAT_ROUTING_BIAS": "quality",
        "HYBRIDCHAT_PRIVACY_OFFLINE": "Yes",
        "HYBRIDCHAT_STORE_SAVE": "0",
        "HYBRIDCHAT_STORE_PATH": "~/kept",
    }
    write(
        '[local]\nnum_ctx = 8192\ntrusted_hosts = ["one.lan", "two.lan"]\n'
        '[remote]\nurl = "https://example.org:8443/v1"\nkey_name = "my-provider"\nprice_input = 0.5\n'
        '[answer]\nsystem = """Be brief.\nBe kind."""\n[routing]\nbias = "quality"\n'
        '[privacy]\noffline = true\n[store]\nsave = false\npath = "~/kept"\n'
    )
    from_file = loaded(nowhere).settings
    from_environment = loaded(nowhere, None, HYBRIDCHAT_CONFIG=os.devnull, **environ).settings
    for settings in (from_file, from_environment):
        assert settings.local.num_ctx == 8192
        assert settings.local.trusted_hosts == ("one.lan", "two.lan")
        assert settings.remote.url == "https://example.org:8443/v1"
        assert settings.remote.price_input == 0.5
        assert settings.answer.system == "Be brief.\nBe kind."
        assert settings.routing.bias is Bias.QUALITY
        assert settings.privacy.offline is True
        assert settings.store.save is False
        assert settings.store.path == "~/kept"


def test_an_empty_variable_counts_as_unset(nowhere: Path) -> None:
    result = loaded(nowhere, HYBRIDCHAT_LOCAL_MODEL="", HYBRIDCHAT_CONFIG="")
    assert result.settings.local.model == "phi3.5"
    assert result.source("local.model") == DEFAULT


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("local.num_ctx", "0", "a whole number from 1"),
        ("local.num_ctx", "4096.5", "a whole number from 1"),
        ("local.num_ctx", "many", "got 'many'"),
        ("local.model", "   ", "text, not empty"),
        ("local.model", "a\x1b[31m", "text, not empty"),
        ("local.keep_alive", "10", "a duration"),
        ("local.url", "127.0.0.1:11434", "an address such as"),
        ("local.url", "ftp://example.org", "an address such as"),
        ("local.url", "http://", "an address such as"),
        ("local.url", "http://[::1", "an address such as"),
        ("local.url", "http://a:99999", "an address such as"),
        ("local.url", "http://a:0/", "an address such as"),
        ("local.url", "http://a b/", "an address such as"),
        ("local.url", "http://a/#part", "an address such as"),
        ("local.url", "http://a/\udcff", "an address such as"),
        ("remote.key_name", "../x", "a name of letters"),
        ("remote.fallbacks", "a\x07", "a list of texts"),
        ("remote.price_input", "-1", "a number from 0 to"),
        ("remote.stall_timeout", "0", "a number above 0"),
        ("remote.stall_timeout", "inf", "a number above 0"),
        ("answer.max_tokens", "-5", "a whole number from 1"),
        ("answer.temperature", "2.1", "a number from 0 to 2"),
        ("answer.temperature", "nan", "a number from 0 to 2"),
        ("answer.system", "a\x00b", "text without control"),
        ("routing.bias", "cheap", "one of local, balanced, quality, got 'cheap'"),
        ("routing.min_confidence", "1.01", "a number from 0 to 1"),
        ("privacy.data_policy", "never", "one of allow, confirm, local-only, got 'never'"),
        ("privacy.offline", "maybe", "true or false, got 'maybe'"),
        ("store.path", "relative/path", "an absolute path"),
    ],
)
def test_what_does_not_fit_is_refused_wherever_it_comes_from(key: str, text: str, expected: str, nowhere: Path) -> None:
    variable = keys.variable(key)
    with pytest.raises(BadConfiguration) as configured:
        loaded(nowhere, None, **{variable: text})
    assert configured.value.message.startswith(f"{variable}: expected ")
    assert expected in configured.value.message
    with pytest.raises(UsageError) as given:
        loaded(nowhere, {key: Flag("--option", text)})
    assert given.value.message.startswith("--option: expected ")
    with pytest.raises(UsageError) as bare:
        loaded(nowhere, {key: text})
    assert bare.value.message.startswith(f"{key}: expected ")


@pytest.mark.parametrize(
    "line",
    [
        'num_ctx = "4096"',
        "num_ctx = true",
        "num_ctx = 4096.0",
        "model = 3.5",
        "trusted_hosts = 'one'",
        "trusted_hosts = [1]",
        "trusted_hosts = ['']",
        "url = ['http://a']",
        f"num_ctx = 0x{'f' * 5000}",
    ],
)
def test_a_file_must_use_the_types_of_toml(line: str, write: Write, nowhere: Path) -> None:
    path = write(f"[local]\n# a comment\n{line}\n")
    with pytest.raises(BadConfiguration, match="expected ") as caught:
        loaded(nowhere)
    assert caught.value.message.startswith(f"{path}, line 3: local.{line.split(maxsplit=1)[0]}: expected ")
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    "line", ["temperature = '0.5'", "temperature = false", "temperature = 1979-05-27", "system = 7"]
)
def test_wrong_types_of_numbers_are_refused(line: str, write: Write, nowhere: Path) -> None:
    write(f"[answer]\n{line}\n")
    with pytest.raises(BadConfiguration, match="line 2: answer"):
        loaded(nowhere)


@pytest.mark.parametrize("line", ["offline = 1", "data_policy = ['allow']", "data_policy = 'Allow'"])
def test_privacy_is_not_guessed(line: str, write: Write, nowhere: Path) -> None:
    write(f"[privacy]\n{line}\n")
    with pytest.raises(BadConfiguration, match="line 2: privacy"):
        loaded(nowhere)


def test_whole_numbers_are_numbers_too(nowhere: Path) -> None:
    temperature = loaded(nowhere, {"answer.temperature": 1}).settings.answer.temperature
    assert temperature == 1.0
    assert isinstance(temperature, float)


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@a/", "https://hunter2@a", "http://user:hunter2", "http://hunter2:x@[::1"]
)
def test_a_password_in_a_url_is_refused_and_never_shown(url: str, write: Write, nowhere: Path) -> None:
    write(f'[remote]\nurl = "{url}"\n')
    with pytest.raises(BadConfiguration) as caught:
        loaded(nowhere)
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('[local]\nmodle = "x"\n', "line 2: there is no setting 'local.modle'", "Did you mean local.model?"),
        ('local.modle = "x"\n', "line 1: there is no setting 'local.modle'", "Did you mean local.model?"),
        ('["local"]\n\n"modle" = "x"\n', "line 3: there is no setting 'local.modle'", "Did you mean local.model?"),
        ("[privcy]\n", "line 1: there is no setting 'privcy'", "Did you mean privacy?"),
        ("\nlocal = 3\n", "line 2: expected a table [local]", "Put its settings below"),
        ("local = { modle = 'x' }\n", "config.toml: there is no setting 'local.modle'", "local.model?"),
        ("zzzzzz = 1\n", "line 1: there is no setting 'zzzzzz'", "There are: local, remote"),
        ("[local]\nmodel = \n", "is not valid TOML: Invalid value (at line 2, column 9)", "Correct"),
        ("x = " + "[" * 100_000, "is not valid TOML: nested too deeply", "Correct"),
        ("[local]\nnum_ctx = " + "9" * 5000, "is not valid TOML: ", "Correct"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    text: str, message: str, hint: str, write: Write, nowhere: Path
) -> None:
    path = write(text)
    with pytest.raises(BadConfiguration) as caught:
        loaded(nowhere)
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 78


def test_a_key_in_the_file_is_refused_without_showing_it(write: Write, nowhere: Path) -> None:
    write('[remote]\nkey = "hf_secret"\n')
    with pytest.raises(BadConfiguration) as caught:
        loaded(nowhere)
    assert "remote.key" in caught.value.message
    assert "hf_secret" not in caught.value.message + caught.value.hint


def test_a_file_that_is_not_utf8_is_refused(write: Write, nowhere: Path) -> None:
    write("").write_bytes(b'[local]\nmodel = "\xff"\n')
    with pytest.raises(BadConfiguration, match=r"is not UTF-8 text \(byte 17\)"):
        loaded(nowhere)


def test_a_byte_order_mark_does_no_harm(write: Write, nowhere: Path) -> None:
    write("\ufeff[local]\nmodel = 'x'\n")
    assert loaded(nowhere).settings.local.model == "x"


def test_a_folder_in_place_of_the_file_is_refused(home: Path, nowhere: Path) -> None:
    paths.config_file().mkdir(parents=True)
    with pytest.raises(BadConfiguration, match="is a folder, not a file"):
        loaded(nowhere)


def test_a_file_that_cannot_be_read_is_refused(home: Path, nowhere: Path) -> None:
    path = paths.config_file()
    path.parent.mkdir(parents=True)
    path.symlink_to(path)
    with pytest.raises(BadConfiguration, match=r"cannot read .*: Too many levels of symbolic links"):
        loaded(nowhere)


def test_another_file_can_be_named(tmp_path: Path, write: Write) -> None:
    write("[local]\nmodel = 'usual'\n")
    other = tmp_path / "other.toml"
    other.write_text("[local]\nmodel = 'other'\n")
    assert loaded(tmp_path, HYBRIDCHAT_CONFIG=str(other)).settings.local.model == "other"
    assert load({}, {"HYBRIDCHAT_CONFIG": "elsewhere"}, other, tmp_path).settings.user_file == other


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"HYBRIDCHAT_CONFIG names .*gone\.toml, which is not there"):
        loaded(tmp_path, HYBRIDCHAT_CONFIG=str(tmp_path / "gone.toml"))
    with pytest.raises(BadConfiguration, match=r"the command line names .*gone\.toml"):
        load(None, {}, tmp_path / "gone.toml", tmp_path)
    with pytest.raises(BadConfiguration, match="no home folder is known"):
        loaded(tmp_path, HYBRIDCHAT_CONFIG="~nobody-of-this-name/config.toml")


def test_a_misspelt_variable_is_an_error_with_the_nearest_name(nowhere: Path) -> None:
    with pytest.raises(BadConfiguration, match="HYBRIDCHAT_PRIVACY_DATAPOLICY") as caught:
        loaded(nowhere, HYBRIDCHAT_PRIVACY_DATAPOLICY="local-only")
    assert caught.value.hint == "Did you mean HYBRIDCHAT_PRIVACY_DATA_POLICY?"


def test_variables_of_other_meaning_are_left_alone(nowhere: Path) -> None:
    result = loaded(nowhere, HYBRIDCHAT_KEY_HUGGINGFACE="hf_secret", HYBRIDCHAT_TEST_ASSETS="/x", PATH="/bin")
    assert result.settings == Settings()
    assert "hf_secret" not in repr(result)


def test_a_setting_that_does_not_exist_is_a_usage_error(nowhere: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no setting 'local\.modle'"):
        loaded(nowhere, {"local.modle": "x"})
    with pytest.raises(UsageError) as caught:
        loaded(nowhere).source("modell")
    assert caught.value.exit_code == 2


def test_ollama_s_own_address_is_used_as_it_stands_where_nothing_else_says_one(nowhere: Path) -> None:
    result = loaded(nowhere, OLLAMA_HOST=" :5000 ")
    assert result.settings.local.url == ":5000"
    assert result.source("local.url") == Source(Origin.ENVIRONMENT, "OLLAMA_HOST")
    assert loaded(nowhere, {"local.backend": "ollama"}, OLLAMA_HOST="h").settings.local.url == "h"


@pytest.mark.parametrize(
    "environ",
    [
        {"OLLAMA_HOST": "  "},
        {"OLLAMA_HOST": "h", "HYBRIDCHAT_LOCAL_BACKEND": "vllm"},
        {"OLLAMA_HOST": "h", "HYBRIDCHAT_LOCAL_URL": "http://other:1"},
    ],
)
def test_ollama_s_own_address_is_not_used_otherwise(environ: dict[str, str], nowhere: Path) -> None:
    result = loaded(nowhere, None, **environ)
    assert result.settings.local.url == environ.get("HYBRIDCHAT_LOCAL_URL", "")
    assert result.source("local.url").where != "OLLAMA_HOST"


def test_a_looser_policy_on_the_command_line_does_not_lift_a_stricter_one(write: Write, nowhere: Path) -> None:
    path = write('[privacy]\ndata_policy = "local-only"\n')
    result = loaded(nowhere, {"privacy.data_policy": "allow"}, HYBRIDCHAT_PRIVACY_DATA_POLICY="confirm")
    assert result.settings.privacy.data_policy is DataPolicy.LOCAL_ONLY
    assert result.source("privacy.data_policy") == Source(Origin.FILE, str(path))


def test_a_user_may_allow(nowhere: Path) -> None:
    assert loaded(nowhere, {"privacy.data_policy": DataPolicy.ALLOW}).settings.privacy.data_policy is DataPolicy.ALLOW


def test_loading_settings_imports_nothing_that_only_some_need() -> None:
    program = (
        "import sys; import hybridchat.config.loading\n"
        "print({'tomllib', 'tomlkit', 'msgspec', 'platformdirs', 'difflib', 'asyncio'} & {*sys.modules})"
    )
    root = Path(keys.__file__).parents[2]
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False, cwd=root)
    assert (done.stdout, done.stderr) == ("set()\n", "")
