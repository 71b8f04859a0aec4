"""A small seeded corpus of prose, code, logs and JSON in which the private spans are known.

The values are made after the issuers' descriptions of their shapes, not from the detectors' patterns. ``hard`` lines
hold nothing private, but look like it.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import canaries

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


_FRAMES = [
    "{}",
    "please look at {} now",
    'the value is "{}".',
    "| {} | ok |",
    "see {}, then go on",
    "- {}\n- next",
    "2026-01-02 INFO got {}",
]
_KINDS = {
    "private_key": "PRIVATE_KEY", "email": "EMAIL", "phone": "PHONE", "iban": "IBAN", "card": "CARD", "ipv4": "IP",
    "ipv6": "IP",
    "mac": "MAC", "coordinates": "LOCATION", "address": "ADDRESS", "birth_date": "BIRTH_DATE", "password": "PASSWORD",
    "url_password": "PASSWORD", "account": "IBAN", "local_phone": "PHONE",
}  # fmt: skip


def canary_lines(seed: int, lines: int, *, held_out: bool = False) -> Iterator[Labelled]:
    """Yield lines with one private value each, of every kind in turn; of the held-out kinds under their own names."""
    rng = random.Random(f"{seed} {held_out}")
    in_context = canaries.HELD_OUT if held_out else canaries.IN_CONTEXT
    alone = {} if held_out else {**canaries.SECRETS, **canaries.PERSONAL}
    kinds = sorted({*in_context, *alone})
    for number in range(lines):
        kind = kinds[number % len(kinds)]
        make, frames = in_context[kind] if kind in in_context else (alone[kind], tuple(_FRAMES))
        value, frame = make(rng), rng.choice(frames)
        start = frame.index("{}")
        name = kind if held_out else _KINDS.get(kind, "ID" if kind in canaries.PERSONAL or kind in _IDS else "KEY")
        yield Labelled(frame.replace("{}", value, 1), ((start, start + len(value), name),))


_IDS = {"passport", "license", "bsn"}
_COMMITS = (
    "{hex40} {hex7} {uuid} sha256:{hex64} v{n}.{n}.{n} ISBN 978-3-{d5}-{d3}-7 "
    "2026-0{n}-1{n}T0{n}:1{n}:2{n}Z ORD-2026-{d5} build {d3}"
)
_LOG = (
    "2026-03-0{n} 1{n}:2{n}:3{n},{d3} INFO worker-{n} handled request {uuid} GET /api/v2/items/{d5}?page={n} in "
    "{d3} ms, etag {hex7}"
)
_SQL = (
    "SELECT o.id, o.total_{n} FROM orders o JOIN items i ON i.order_id = o.id WHERE o.created_at > "
    "'2026-0{n}-01' LIMIT {d3};"
)
_SETTINGS = (
    "[server]\nport = {d4}\nworkers = {n}\ntimeout = {n}.5\npath = /var/lib/service/data-{n}\nimage: "
    "registry/app:{n}.{n}.{n}"
)
_SCRIPT = (
    "const item{n} = items.filter((x) => x.total > {d3}).map(({{ id, name }}) => `${{id}}: ${{name}}`); // step {n}"
)
_MODULES = [
    "argparse", "ast", "asyncio.base_events", "calendar", "collections", "csv", "dataclasses", "email.message", "html",
    "http.client", "json", "logging", "random",
]  # fmt: skip
_PROSE = {
    "prose en": PROSE,
    "prose de": "der Server antwortet langsam weil jede Anfrage auf eine Sperre wartet die ein anderer Prozess "
    "hält während er schreibt",
    "prose fr": "le serveur répond lentement parce que chaque requête attend un verrou qu'un autre processus tient "
    "pendant qu'il écrit",
    "prose es": "el servidor responde despacio porque cada petición espera un cerrojo que otro proceso tiene "
    "mientras escribe su registro",
    "prose pl": "serwer odpowiada powoli ponieważ każde żądanie czeka na blokadę którą trzyma inny proces kiedy "
    "zapisuje swój dziennik",
    "prose ru": "сервер отвечает медленно потому что каждый запрос ждёт блокировку которую держит другой процесс "
    "пока пишет свой журнал",
    "prose zh": "服务器 响应 很 慢 因为 每个 请求 都 在 等待 另一个 进程 写 日志 时 持有 的 锁",
}


def clean_texts(seed: int) -> Iterator[tuple[str, str]]:
    """Yield ordinary texts, with their sort: the standard library's source, and generated code, logs and prose."""
    rng = random.Random(seed)
    for name in _MODULES:
        source = inspect.getsource(importlib.import_module(name))
        yield "python", source[:20_000]
    for sort, form in {
        "hashes": _COMMITS,
        "log": _LOG,
        "sql": _SQL,
        "settings": _SETTINGS,
        "javascript": _SCRIPT,
    }.items():
        yield sort, "\n".join(_with_numbers(rng, form) for _ in range(120))
    for sort, words in _PROSE.items():
        yield sort, "\n".join(" ".join(rng.choices(words.split(), k=14)).capitalize() + "." for _ in range(120))


def _with_numbers(rng: random.Random, form: str) -> str:
    return (
        re.sub(r"\{(hex|d)([0-9]+)\}|\{n\}|\{uuid\}", lambda found: _number(rng, found), form)
        .replace("{{", "{")
        .replace("}}", "}")
    )


def _number(rng: random.Random, found: re.Match[str]) -> str:
    if found[1]:
        return _random(rng, int(found[2]), "0123456789abcdef" if found[1] == "hex" else string.digits)
    return str(rng.randrange(1, 10)) if found[0] == "{n}" else str(uuid.UUID(int=rng.getrandbits(128), version=4))
