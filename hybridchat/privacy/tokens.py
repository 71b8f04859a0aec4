"""Keys and tokens that are known by their shape: one row of data each.

The shapes are those that the issuers document or use (prefix, alphabet, least length). Lengths are lower bounds,
since issuers lengthen their tokens from time to time.

Possessive quantifiers stand behind single characters only: behind a group whose last round fails midway, ``re`` goes
on from the wrong place until Python 3.11.4 (python/cpython#106052).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridchat.privacy.spans import Kind, Span

_URL_SAFE = r"[A-Za-z0-9_-]"
_BEFORE = re.compile(_URL_SAFE)
_NO_KEBAB_CASE = r"(?=[a-z_-]{0,80}+[0-9A-Z])"  # a digit or capital, which kebab-case-names lack


@dataclass(frozen=True, slots=True)
class PrefixedToken:
    """A token that begins with one of ``prefixes``, not in the middle of a word, and goes on with ``body``."""

    issuer: str
    prefixes: tuple[str, ...]
    body: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class TokenInContext:
    """A secret that its surroundings give away: the group ``value`` of ``pattern`` is of ``kind``.

    The pattern is tried only where one of ``literals`` occurs in the text.
    """

    where: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    kind: Kind = Kind.KEY


def _prefixed(issuer: str, prefixes: str, body: str) -> PrefixedToken:
    return PrefixedToken(issuer, tuple(prefixes.split()), re.compile(body))


def _in_context(where: str, literals: str, pattern: str, kind: Kind = Kind.KEY) -> TokenInContext:
    return TokenInContext(where, tuple(literals.split()), re.compile(pattern), kind)


PREFIXED_TOKENS = (
    _prefixed("OpenAI, Anthropic, OpenRouter, DeepSeek", "sk-", rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{20,}}+"),
    _prefixed("Hugging Face", "hf_ api_org_", r"[A-Za-z0-9]{30,}+"),
    _prefixed("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,}+"),
    _prefixed("GitHub, fine-grained", "github_pat_", r"[A-Za-z0-9_]{22,}+"),
    _prefixed("GitLab", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct-",
              rf"{_URL_SAFE}{{20,}}+(?:\.{_URL_SAFE}++)*"),
    _prefixed("AWS access key id", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _prefixed("Google API", "AIza", rf"{_URL_SAFE}{{35}}"),
    _prefixed("Google OAuth", "ya29. GOCSPX-", rf"{_URL_SAFE}{{20,}}+"),
    _prefixed("Slack", "xoxa- xoxb- xoxc- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[A-Za-z0-9-]{10,}+"),
    _prefixed("Stripe", "sk_live_ sk_test_ rk_live_ rk_test_", r"[A-Za-z0-9]{10,}+"),
    _prefixed("Stripe webhook", "whsec_", r"[A-Za-z0-9+/=]{20,}+"),
    _prefixed("Groq", "gsk_", r"[A-Za-z0-9]{30,}+"),
    _prefixed("NVIDIA", "nvapi-", rf"{_URL_SAFE}{{30,}}+"),
    _prefixed("xAI, Perplexity, Tavily, Cerebras", "xai- pplx- tvly- csk-", rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{24,}}+"),
    _prefixed("Replicate", "r8_", r"[A-Za-z0-9]{30,}+"),
    _prefixed("npm", "npm_", r"[A-Za-z0-9]{36,}+"),
    _prefixed("PyPI", "pypi-", rf"{_URL_SAFE}{{50,}}+"),
    _prefixed("Docker", "dckr_pat_ dckr_oat_", rf"{_URL_SAFE}{{20,}}+"),
    _prefixed("SendGrid", "SG.", rf"{_URL_SAFE}{{16,32}}\.{_URL_SAFE}{{32,64}}"),
    _prefixed("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _prefixed("Databricks", "dapi", r"[a-f0-9]{32}"),
    _prefixed("Shopify", "shpat_ shpca_ shppa_ shpss_", r"[a-fA-F0-9]{32}"),
    _prefixed("HashiCorp Vault", "hvs. hvb.", rf"{_URL_SAFE}{{24,}}+"),
    _prefixed("Linear, Notion", "lin_api_ ntn_", r"[A-Za-z0-9]{32,}+"),
    _prefixed("age", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,60}"),
    _prefixed("JSON Web Token", "eyJ",
              rf"{_URL_SAFE}{{8,}}+\.{_URL_SAFE}{{8,}}+\.{_URL_SAFE}{{8,}}+(?:\.{_URL_SAFE}++){{0,2}}"),
)  # fmt: skip

TOKENS_IN_CONTEXT = (
    _in_context("Telegram bot", ":AA",
                rf"(?<![A-Za-z0-9:])(?P<value>[0-9]{{8,10}}:AA{_URL_SAFE}{{33}})(?!{_URL_SAFE})"),
    _in_context("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/(?P<value>[A-Za-z0-9/_-]{20,}+)"),
    _in_context("Authorization header", "uthorization UTHORIZATION",
                r"""(?i:authorization)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?i:bearer|basic|token|apikey)\s{1,4}"""
                r"(?P<value>[A-Za-z0-9._~+/=-]{8,}+)"),
    _in_context("bearer token", "earer BEARER",
                r"(?<![A-Za-z])(?i:bearer)\s{1,4}(?=[A-Za-z._~+/=-]{0,80}+[0-9])(?P<value>[A-Za-z0-9._~+/=-]{16,}+)"),
    _in_context("signed URL", "sig= ignature=",
                r"[?&](?i:sig|(?:X-Amz-|X-Goog-)?Signature)=(?P<value>[A-Za-z0-9%/+=_-]{20,}+)"),
    _in_context("password in a URL", "://",
                r"""://[^\s/?#:@'"<>`]{0,128}+:(?!\$(?:[A-Z_][A-Z0-9_]*+@|[{(])|[<{]|\*{3})"""
                r"""(?P<value>[^\s/'"<>`@]{1,128}+(?:@[^\s/'"<>`@]{1,128}+)*?)"""
                r"""@(?=[\w.\[-]++(?:[:/?#\s'"<>`),;\]]|\Z))""", Kind.PASSWORD),
    _in_context("curl --user", "curl",
                r"(?<![\w-])curl(?=\s)(?:(?!curl\s)[^\n]){0,1000}?\s(?:-u|--user)[ =]"
                r"['\"]?[^\s:'\"]{1,64}:(?P<value>[^\s'\"]{3,128})", Kind.PASSWORD),
)  # fmt: skip


def prefixed_tokens(text: str) -> Iterator[Span]:
    """Find the keys and tokens of ``PREFIXED_TOKENS``."""
    for row in PREFIXED_TOKENS:
        for prefix in row.prefixes:
            start = text.find(prefix)
            while start >= 0:
                end = start + len(prefix)
                if start == 0 or not _BEFORE.match(text, start - 1):
                    body = row.body.match(text, end)
                    if body:
                        end = body.end()
                        yield Span(start, end, Kind.KEY)
                start = text.find(prefix, end)


def tokens_in_context(text: str) -> Iterator[Span]:
    """Find the keys, tokens and passwords of ``TOKENS_IN_CONTEXT``."""
    for row in TOKENS_IN_CONTEXT:
        if any(literal in text for literal in row.literals):
            for match in row.pattern.finditer(text):
                yield Span(*match.span("value"), row.kind)


_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"""(?:(?:\s|\\[nr]|["'+,>])*[A-Za-z0-9+/=]{16,}+)*""")


def private_keys(text: str) -> Iterator[Span]:
    """Find private key blocks (PEM, OpenSSH, PGP); of one that is cut off, whatever looks like its body."""
    begins = list(_PEM_BEGIN.finditer(text))
    limits = [*(begin.start() for begin in begins[1:]), len(text)]
    ends = _PEM_END.finditer(text)
    end = next(ends, None)
    for begin, limit in zip(begins, limits, strict=False):
        while end is not None and end.start() < begin.end():
            end = next(ends, None)
        if end is not None and end.end() <= limit:
            yield Span(begin.start(), end.end(), Kind.PRIVATE_KEY)
        else:
            body = _PEM_BODY.match(text, begin.end(), limit)
            yield Span(begin.start(), body.end() if body else begin.end(), Kind.PRIVATE_KEY)
