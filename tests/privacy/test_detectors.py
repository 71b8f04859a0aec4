from __future__ import annotations

import itertools
import json
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.privacy.detectors import Kind, Span, detect, detectors, merged

KEY, PASSWORD, EMAIL, WORD, PRIVATE_KEY = Kind.KEY, Kind.PASSWORD, Kind.EMAIL, Kind.WORD, Kind.PRIVATE_KEY


def letters(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.Random(length).choices(alphabet, k=length - 1)) + "7"


def found(text: str, words: tuple[str, ...] = ()) -> list[tuple[Kind, str]]:
    return [(span.kind, text[span.start : span.end]) for span in detect(text, detectors(words))]


KEYS = [
    "sk-" + letters(48),
    "sk-proj-" + letters(100) + "-_" + letters(20),
    "sk-ant-api03-" + letters(93) + "AA",
    "sk-or-v1-" + letters(64, "0123456789abcdef"),
    "hf_" + letters(34, string.ascii_letters),
    *(f"gh{c}_" + letters(36) for c in "pousr"),
    "github_pat_" + letters(22) + "_" + letters(59),
    "glpat-" + letters(20),
    "AKIA" + letters(16, string.ascii_uppercase),
    "ASIA" + letters(16, string.ascii_uppercase),
    "AIza" + letters(35),
    "ya29." + letters(60),
    "GOCSPX-" + letters(28),
    "xoxb-123456789012-1234567890123-" + letters(24),
    "xapp-1-A0123-4567-" + letters(64, "0123456789abcdef"),
    "sk_live_" + letters(24),
    "rk_test_" + letters(99),
    "whsec_" + letters(32),
    "gsk_" + letters(52),
    "nvapi-" + letters(64),
    "xai-" + letters(80),
    "pplx-" + letters(48),
    "tvly-" + letters(32),
    "r8_" + letters(37),
    "npm_" + letters(36),
    "pypi-AgEIcHlwaS5vcmc" + letters(150),
    "dckr_pat_" + letters(27),
    "SG." + letters(22) + "." + letters(43),
    "dop_v1_" + letters(64, "0123456789abcdef"),
    "dapi" + letters(32, "0123456789abcdef"),
    "shpat_" + letters(32, "0123456789abcdef"),
    "hvs." + letters(90),
    "lin_api_" + letters(40),
    "ntn_" + letters(46),
    "1234567890:AA" + letters(33),
    "AGE-SECRET-KEY-1" + letters(58, string.ascii_uppercase),
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + letters(43),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "my key {}.", '{{"k": "{}"}}', "K={}\nL=x", "看{}看", "`{}`", "https://h/?k={}&x=1"]
)
def test_keys_of_well_known_shapes_are_found_whole(key: str, around: str) -> None:
    assert found(around.format(key)) == [(KEY, key)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("aws_secret_access_key = " + "wJalrXUt/K7MDENG+" * 2, KEY, "wJalrXUt/K7MDENG+" * 2),
        ("AccountKey=Zm9vYmFyMTIzNDU2Nzg5MA==;EndpointSuffix=x", KEY, "Zm9vYmFyMTIzNDU2Nzg5MA=="),
        ("api_key: abcd1234efgh5678", KEY, "abcd1234efgh5678"),
        ("X-Api-Key: abcd1234efgh5678", KEY, "abcd1234efgh5678"),
        ('apiKey = "abcd1234"', KEY, "abcd1234"),
        ("?token=abcd1234efgh5678&page=2", KEY, "abcd1234efgh5678"),
        ("tool --token abcd1234efgh5678 run", KEY, "abcd1234efgh5678"),
        (r'"{\"secret\": \"abcd1234efgh\"}"', KEY, "abcd1234efgh"),
        ("Authorization: Bearer abcdefghijklmnop", KEY, "abcdefghijklmnop"),
        ("'authorization': 'Basic dXNlcjpwYXNz'".replace("a", "A", 1), KEY, "dXNlcjpwYXNz"),
        ("use bearer abcd1234.efgh5678-ijkl".replace("b", "B", 1), KEY, "abcd1234.efgh5678-ijkl"),
        ("https://x.blob.example/f?sv=2&sig=abcd%2B1234efgh5678ijkl%3D", KEY, "abcd%2B1234efgh5678ijkl%3D"),
        ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijkl", KEY, "T00000000/B00000000/abcdefghijkl"),
        ("postgres://app:s3cr3t@db:5432/x", PASSWORD, "s3cr3t"),
        ("redis://:pass@localhost", PASSWORD, "pass"),
        ("amqp://app:p@ss@mq.local/x", PASSWORD, "p@ss"),
        ("https://u:$ecret9@host/", PASSWORD, "$ecret9"),
        ("https://u:$ECRET9x@host/", PASSWORD, "$ECRET9x"),
        ("password = hunter2", PASSWORD, "hunter2"),
        ("password: %dollar9", PASSWORD, "%dollar9"),
        ('"password": "correct-horse"', PASSWORD, "correct-horse"),
        ("'db_password': 'it\\'s 1 secret'", PASSWORD, "it\\'s 1 secret"),
        ('password: str = "swordfish"', PASSWORD, "swordfish"),
        ("DB_PASSWORD=correcthorse", PASSWORD, "correcthorse"),
        ("<password>hunter2</password>", PASSWORD, "hunter2"),
        ("Passwort: geheim!", PASSWORD, "geheim!"),
        ("My password is hunter2.", PASSWORD, "hunter2"),
        ("Das Passwort lautet hunter2, oder?", PASSWORD, "hunter2"),
        ("пароль: секрет1", PASSWORD, "секрет1"),
        ("密码：abc12345", PASSWORD, "abc12345"),
        ("mysql --password swordfish", PASSWORD, "swordfish"),
        ("curl -s -u me:swordfish https://h/", PASSWORD, "swordfish"),
        ("curl --user 'me:swordfish' https://h/", PASSWORD, "swordfish"),
        ("password: required, password: hunter2", PASSWORD, "hunter2"),
        ("token: password=hunter2!", PASSWORD, "hunter2!"),
        ('password = "' + "a1" * 600 + '"', PASSWORD, "a1" * 600),
    ],
)  # fmt: skip
def test_secrets_are_found_by_their_context(text: str, kind: Kind, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "def login(password: str, token: str | None = None) -> None: ...",
        "password = getpass.getpass()",
        "login(password=password, token=self.token)",
        'api_key = os.environ["API_KEY"]',
        "token = tokens[i]; token2 = next_token()",
        "PASSWORD=${DB_PASSWORD} TOKEN=$TOKEN SECRET=<your secret>",
        'password: "{{ vault_password }}"',
        'password = "********"',
        "the token is a word; my password: must be longer",
        '"token": "Hello", "logprob": -0.25',
        "max_tokens=4096 tokens: 123456789012345",
        "password: varchar255, token: uint256",
        "https://user:${PASSWORD}@host/ https://user:$PASSWORD@host/",
        "the task-force-of-2024-was-a-success",
        "sk-learn-is-a-kebab-case-name-without-numbers",
        "secret santa is fun, and --token is an option",
        "a bearer of good-news-from-far-away-places",
        "123e4567-e89b-12d3-a456-426614174000",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "git@github.com:owner/repo.git",
        "logo@2x.png getty@tty1.service react@18.2.0",
        "@app.route, root@server, a @ b.com, x@y",
        "docker run -u 1000:1000 image",
        "pass the salt",
        "socks5://<user>:<password>@proxy-host1",
        "the password is wrong, the token is a long one, a secret is kept",
        "token: https://example.com/12345/page",
        "password:",
    ],
)
def test_what_only_looks_private_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Write to bob.smith+lists@mail.example.co.uk.", "bob.smith+lists@mail.example.co.uk"),
        ("<BOB@EXAMPLE.COM>", "BOB@EXAMPLE.COM"),
        ("mailto:bob@example.com?subject=x", "bob@example.com"),
        ("'bob@example.com'", "bob@example.com"),
        ("...bob@example.com", "bob@example.com"),
        ("josé@correo.example", "josé@correo.example"),
        ("rené.smith@bücher.example", "rené.smith@bücher.example"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("联系bob@example.com谢谢", "bob@example.com"),
        ("a@xn--bcher-kva.xn--p1ai", "a@xn--bcher-kva.xn--p1ai"),
        ("https://example.com/?mail=bob@example.com", "bob@example.com"),
    ],
)
def test_email_addresses_are_found_whole(text: str, address: str) -> None:
    assert found(text) == [(EMAIL, address)]


PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpassword=hunter2AbCd\nbob@example.com\n"
    "-----END RSA PRIVATE KEY-----"
)


def test_a_private_key_absorbs_what_is_in_it() -> None:
    assert found(f"a {PEM} b") == [(PRIVATE_KEY, PEM)]
    assert found(json.dumps({"key": PEM})) == [(PRIVATE_KEY, json.dumps(PEM)[1:-1])]


def test_each_of_several_private_keys_is_found() -> None:
    ssh = PEM.replace("RSA", "OPENSSH")
    pgp = PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK")
    assert found(f"{PEM}\n{ssh}\ntext {pgp}") == [(PRIVATE_KEY, PEM), (PRIVATE_KEY, ssh), (PRIVATE_KEY, pgp)]


def test_of_a_private_key_cut_off_its_body_is_found() -> None:
    cut = "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n" + "B" * 64
    assert found(f"{cut}\nand a question about it") == [(PRIVATE_KEY, cut)]
    assert found(f"{cut}\n{PEM}") == [(PRIVATE_KEY, cut), (PRIVATE_KEY, PEM)]
    assert found(f"-----END PRIVATE KEY-----\n{cut}") == [(PRIVATE_KEY, cut)]


@pytest.mark.parametrize(
    ("word", "text", "hits"),
    [
        ("Acme", "ACME, acme's, acme_client and Acme-Corp", ["ACME", "acme", "acme", "Acme"]),
        ("Acme", "Acmed pacme acme2", []),
        ("Project Falcon", "project\n falcon, ProjectFalcon", ["project\n falcon"]),
        ("张伟", "我叫张伟。", ["张伟"]),
        ("José", "jose\u0301 and JOSÉ", ["jose\u0301", "JOSÉ"]),
        ("राम", "राम रामायण", ["राम"]),
        ("ΟΔΟΣ", "η οδος, οδοσ", ["οδος", "οδοσ"]),
        ("istanbul", "İ istanbul", ["istanbul"]),
        ("C++", "C++ and c++11", ["C++", "c++"]),
        ("  ", "a  b", []),
    ],
)
def test_own_words_are_found_in_any_case_and_script(word: str, text: str, hits: list[str]) -> None:
    assert found(text, (word,)) == [(WORD, hit) for hit in hits]


def test_the_longer_of_two_own_words_wins() -> None:
    assert found("Acme Corporation", ("Acme", "Acme Corporation")) == [(WORD, "Acme Corporation")]


spans = st.lists(
    st.builds(
        lambda start, length, kind: Span(start, start + length, kind),
        st.integers(0, 30), st.integers(1, 10), st.sampled_from(Kind),
    )
)  # fmt: skip


@given(spans)
def test_merged_spans_are_disjoint_and_cover_what_any_covered(overlapping: list[Span]) -> None:
    disjoint = merged(overlapping)
    assert all(a.end <= b.start for a, b in itertools.pairwise(disjoint))
    assert {i for s in disjoint for i in range(s.start, s.end)} == {
        i for s in overlapping for i in range(s.start, s.end)
    }


def test_of_overlapping_spans_the_longest_names_the_kind() -> None:
    assert merged([Span(0, 4, WORD), Span(2, 9, EMAIL)]) == [Span(0, 9, EMAIL)]
    assert merged([Span(0, 4, KEY), Span(0, 4, PASSWORD)]) == [Span(0, 4, KEY)]
    assert merged([Span(0, 9, EMAIL), Span(8, 10, PRIVATE_KEY)]) == [Span(0, 10, PRIVATE_KEY)]
    assert merged([Span(0, 4, WORD), Span(4, 6, WORD)]) == [Span(0, 4, WORD), Span(4, 6, WORD)]


HOSTILE = [
    "a", "@", "a@", "a" * 63 + "@", "a@" + "a." * 30, "a@a.", "a-", "1", "-", " ", "\n", "\\", "漢", "&a=",
    "eyJ", "eyJ" + "a" * 20 + ".", "sk-", "sk-" + "a" * 78, "SG." + "a" * 32 + ".", "<EMAIL_", "\\<EMAIL\\_",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----" + "a" * 30, "-----END PRIVATE KEY-----",
    "password", "password=", "password: a ", 'password="', "password='\\", 'password="' + "a" * 190, "password   ",
    "password:" + "a" * 28, "--" + "a-" * 19 + "token ", "://", "://a:", "://" + "a:" * 60, "://a:" + "a@" * 60,
    "bearer ", "Authorization:  ", "curl ", "curl " + "-u " * 90,
]  # fmt: skip


@pytest.mark.timeout(20)  # quadratic time would take minutes
@pytest.mark.parametrize("piece", HOSTILE)
def test_100_kb_of_hostile_text_are_searched_in_linear_time(piece: str) -> None:
    text = (piece * (1 + 100_000 // len(piece)))[:100_000]
    assert all(0 <= span.start < span.end <= len(text) for span in detect(text, detectors(("Acme", "Falcon"))))
