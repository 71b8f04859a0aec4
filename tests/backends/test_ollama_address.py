from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.ollama.address import DEFAULT_URL, host_url
from hybridchat.backends.ollama.names import full_name, is_cloud, short_name
from hybridchat.errors import BadConfiguration


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", DEFAULT_URL),
        ("  ", DEFAULT_URL),
        ('""', DEFAULT_URL),
        (":5000", "http://127.0.0.1:5000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("http://0.0.0.0", "http://127.0.0.1:80"),
        ("[::]:9", "http://[::1]:9"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("http://[::1]:7/", "http://[::1]:7"),
        ("example.com", "http://example.com:11434"),
        ("Example.COM:1", "http://example.com:1"),
        ("example.com:", "http://example.com:11434"),
        ("http://h", "http://h:80"),
        ("https://h", "https://h:443"),
        ("HTTPS://h:8443", "https://h:8443"),
        ("h/path", "http://h:11434/path"),
        ("https://h/a/b/", "https://h:443/a/b"),
        ("ollama.com", "https://ollama.com:443"),
        ('"127.0.0.1:1"', "http://127.0.0.1:1"),
        (" '127.0.0.1' ", "http://127.0.0.1:11434"),
        ("gpu_box.local", "http://gpu_box.local:11434"),
    ],
)
def test_the_address_is_read_as_the_server_reads_it(value: str, url: str) -> None:
    assert host_url(value) == url


@pytest.mark.parametrize(
    "value",
    [
        "localhost:99999",
        "localhost:0",
        "localhost:-1",
        "localhost:abc",
        "http://[::1",
        "[::zz]:1",
        "[::1]x",
        "300.1.1.1",
        "127.1",
        "ftp://h",
        "://h",
        "a b",
        "h/a b",
        "h/?q",
        "ex..ample",
        "http://http://h",
    ],
)
def test_what_cannot_be_an_address_is_a_bad_configuration(value: str) -> None:
    with pytest.raises(BadConfiguration, match="OLLAMA_HOST") as caught:
        host_url(value)
    assert caught.value.hint


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadConfiguration) as caught:
        host_url("http://user:hunter2@h:1/x")
    assert "hunter2" not in str(caught.value) + caught.value.hint


@given(st.text())
def test_any_text_is_an_address_or_a_bad_configuration(value: str) -> None:
    try:
        url = host_url(value)
    except BadConfiguration:
        return
    assert host_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST:11434/x",
        "http://localhost.:1",
        "http://127.0.0.1",
        "http://127.9.9.9:1",
        "http://[::1]:1",
        "http://[::ffff:127.0.0.1]",
        "http://user:secret@127.0.0.1",
    ],
)
def test_this_machine_is_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "http://",
        "http://0.0.0.0",
        "http://128.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://localhost.example",
        "https://a.localhost",
        "http://notlocalhost",
        "http://127.0.0.1.example",
        "http://127.0.0.1@example.com",
        "http://example.com#@127.0.0.1",
        "http://[::2]",
        "http://[::ffff:8.8.8.8]",
        "http://[::1",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("phi3.5", "phi3.5:latest", True),
        ("Phi3.5", "library/phi3.5", True),
        ("phi3.5", "phi3.5:3.8b", False),
        ("hf.co/a/b", "b", False),
        ("host:5000/a/b", "host:5000/a/b:latest", True),
    ],
)
def test_names_compare_in_full(one: str, other: str, same: bool) -> None:
    assert (full_name(one) == full_name(other)) == same


def test_names_are_shown_short() -> None:
    assert [short_name("phi3.5:latest"), short_name("phi3.5:3.8b")] == ["phi3.5", "phi3.5:3.8b"]


@pytest.mark.parametrize(
    ("name", "cloud"), [("a:cloud", True), ("a:1b-Cloud ", True), ("cloud", False), ("cloudy:1b", False)]
)
def test_cloud_names_are_told_by_their_end(name: str, cloud: bool) -> None:
    assert is_cloud(name) == cloud
