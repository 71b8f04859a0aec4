"""A small seeded corpus of prose, code, logs and JSON in which the private spans are known.

The values are made after the issuers' descriptions of their shapes, not from the detectors' patterns. ``hard`` lines
hold nothing private, but look like it.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ALPHANUMERIC = string.ascii_letters + string.digits
PROSE = (
    "the server answered slowly because every request waits for a lock that another worker holds while it writes its "
    "log so we moved the token bucket into memory and the password form now explains what it expects of people"
)
NAMES = ["anna", "jörg.müller", "li.wei", "o.brien", "maria_silva", "k.yamada", "sven+lists", "n-dupont", "用户"]
DOMAINS = ["example.com", "mail.example.org", "uni-köln.example", "firma.co.uk", "xn--bcher-kva.example", "例子.测试"]
USER_WORDS = ["Falconhurst", "Projekt Nordlicht", "张伟民"]


@dataclass(frozen=True)
class Labelled:
    """A text and its private spans: start, end (characters), kind."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def _random(rng: random.Random, length: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(rng.choices(alphabet, k=length))


def _key(rng: random.Random) -> str:
    url_safe = ALPHANUMERIC + "-_"
    shapes: list[Callable[[], str]] = [
        lambda: "sk-" + _random(rng, 48),
        lambda: "sk-proj-" + _random(rng, 74, url_safe) + "7q",
        lambda: "sk-ant-api03-" + _random(rng, 93, url_safe) + "AA",
        lambda: "hf_" + _random(rng, 34, string.ascii_letters),
        lambda: "ghp_" + _random(rng, 36),
        lambda: "github_pat_" + _random(rng, 22) + "_" + _random(rng, 59),
        lambda: "glpat-" + _random(rng, 20, url_safe),
        lambda: "AKIA" + _random(rng, 16, string.ascii_uppercase + "234567"),
        lambda: "AIza" + _random(rng, 35, url_safe),
        lambda: f"xoxb-{_random(rng, 12, string.digits)}-{_random(rng, 12, string.digits)}-{_random(rng, 24)}",
        lambda: "sk_live_" + _random(rng, 24),
        lambda: "gsk_" + _random(rng, 52),
        lambda: "nvapi-" + _random(rng, 64, url_safe),
        lambda: "npm_" + _random(rng, 36),
        lambda: "pypi-AgEIcHlwaS5vcmc" + _random(rng, 150, url_safe),
        lambda: _json_web_token(rng),
    ]
    return rng.choice(shapes)()


def _json_web_token(rng: random.Random) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": _random(rng, 8), "iat": rng.randrange(10**9)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, _random(rng, 43, ALPHANUMERIC + "-_")])


def _password(rng: random.Random) -> str:
    return _random(rng, rng.randint(8, 16), ALPHANUMERIC + "!$%*+#") + rng.choice(string.digits)


def _private_key(rng: random.Random) -> str:
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", ""])
    body = "\n".join(_random(rng, 64, ALPHANUMERIC + "+/") for _ in range(rng.randint(3, 12)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


def _email(rng: random.Random) -> str:
    return f"{rng.choice(NAMES)}@{rng.choice(DOMAINS)}"


def _word(rng: random.Random) -> str:
    word = rng.choice(USER_WORDS)
    return rng.choice([word, word.upper(), word.lower()])


VALUES: dict[str, Callable[[random.Random], str]] = {
    "KEY": _key,
    "PASSWORD": _password,
    "PRIVATE_KEY": _private_key,
    "EMAIL": _email,
    "WORD": _word,
}

TEMPLATES = [
    "Please write to {EMAIL} or, if nobody answers, to {EMAIL}.",
    "From: Somebody <{EMAIL}>\nTo: {EMAIL}, {EMAIL}\nSubject: the lock",
    "The contract of {WORD} ends in May; ask {WORD}'s lawyers.",
    'client = OpenAI(api_key="{KEY}")',
    "export SERVICE_TOKEN={KEY}",
    "curl -H 'Authorization: Bearer {KEY}' https://api.example.com/v1/models",
    "2026-03-04T05:06:07Z WARN auth failed for {EMAIL} with key {KEY} after 3 tries",
    '{{"user": "{EMAIL}", "password": "{PASSWORD}", "retries": 3}}',
    "DATABASE_URL=postgres://app:{PASSWORD}@db.internal:5432/app",
    "db:\n  host: db.internal\n  password: {PASSWORD}\n  pool: 5",
    "mysqldump --user app --password {PASSWORD} shop > shop.sql",
    'const password = "{PASSWORD}"; // {WORD}',
    "Here is the deploy key:\n\n{PRIVATE_KEY}\n\nIt no longer works, why?",
    "| {EMAIL} | {WORD} | active |",
    "git remote add origin https://oauth2:{KEY}@git.example.com/a/b.git",
]
HARD = [
    "def login(password: str, token: str | None = None) -> Session: ...",
    'password = getpass.getpass("Password: ")',
    "connect(password=settings.password, token=tokens[i])",
    "git clone git@github.com:example/project.git && cd project",
    "The icon logo@2x.png stands beside getty@tty1.service.",
    "api_key = os.environ['SERVICE_API_KEY']  # never write it here",
    'headers = {{"Authorization": f"Bearer {{token}}"}}',
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes the task-runner",
    "id 123e4567-e89b-12d3-a456-426614174000, sha256 is below, password: required",
    "@app.route('/users') and @pytest.mark.parametrize are decorators",
    "pip install package@1.2.3 and npm install react@18.2.0 differ",
    "max_tokens=4096, token: 17, tokens: [1, 2, 3], next_token = sample(logits)",
    "https://user:${{PASSWORD}}@host.example/ reads the variable",
]


def generate(seed: int, lines: int) -> Iterator[Labelled]:
    """Yield ``lines`` labelled texts; the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(lines):
        kind = rng.random()
        if kind < 0.45:
            yield _filled(rng, rng.choice(TEMPLATES))
        elif kind < 0.65:
            yield Labelled(rng.choice(HARD).format(), ())
        else:
            yield Labelled(" ".join(rng.choices(PROSE.split(), k=rng.randint(8, 60))).capitalize() + ".", ())


def _filled(rng: random.Random, template: str) -> Labelled:
    text, spans = "", []
    for literal, kind, _, _ in string.Formatter().parse(template):
        text += literal
        if kind:
            value = VALUES[kind](rng)
            spans.append((len(text), len(text) + len(value), kind))
            text += value
    return Labelled(text, tuple(spans))
