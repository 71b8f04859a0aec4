"""Keys and tokens that are known by their shape: one row of data each.

The shapes are those that the issuers document or use (prefix, alphabet, least length). Lengths are lower bounds,
since issuers lengthen their tokens from time to time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridchat.privacy.spans import Kind, Span

_START = r"(?<![A-Za-z0-9_-])"
_HAS_DIGIT = r"(?=[A-Za-z_-]{0,80}+[0-9])"


@dataclass(frozen=True, slots=True)
class Token:
    """A shape: ``pattern`` (its group ``value`` if it has one, else the whole match) is of ``kind``.

    ``literals`` make the search cheap: the pattern is tried only where one of them occurs in the text.
    """

    issuer: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    kind: Kind = Kind.KEY


def _token(issuer: str, literals: str, pattern: str, kind: Kind = Kind.KEY) -> Token:
    return Token(issuer, tuple(literals.split()), re.compile(pattern), kind)


TOKENS = (
    _token("OpenAI, Anthropic, OpenRouter, DeepSeek", "sk-", rf"{_START}sk-{_HAS_DIGIT}[A-Za-z0-9_-]{{20,}}+"),
    _token("Hugging Face", "hf_ api_org_", rf"{_START}(?:hf|api_org)_[A-Za-z0-9]{{30,}}+"),
    _token("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_START}gh[pousr]_[A-Za-z0-9]{{36,}}+"),
    _token("GitHub, fine-grained", "github_pat_", rf"{_START}github_pat_[A-Za-z0-9_]{{22,}}+"),
    _token("GitLab", "gl",
           rf"{_START}gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|ffct)-[A-Za-z0-9_-]{{20,}}+(?:\.[A-Za-z0-9_-]++)*"),
    _token("AWS access key id", "AKIA ASIA ABIA ACCA", rf"{_START}A(?:KI|SI|BI|CC)A[A-Z0-9]{{16}}(?![A-Za-z0-9])"),
    _token("Google API", "AIza", rf"{_START}AIza[A-Za-z0-9_-]{{35}}"),
    _token("Google OAuth", "ya29. GOCSPX-", rf"{_START}(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{{20,}}+"),
    _token("Slack", "xox xapp-", rf"{_START}(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{{10,}}+"),
    _token("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/(?P<value>[A-Za-z0-9/_-]{20,}+)"),
    _token("Stripe", "k_live_ k_test_", rf"{_START}[sr]k_(?:live|test)_[A-Za-z0-9]{{10,}}+"),
    _token("Stripe webhook", "whsec_", rf"{_START}whsec_[A-Za-z0-9+/=]{{20,}}+"),
    _token("Groq", "gsk_", rf"{_START}gsk_[A-Za-z0-9]{{30,}}+"),
    _token("NVIDIA", "nvapi-", rf"{_START}nvapi-[A-Za-z0-9_-]{{30,}}+"),
    _token("xAI, Perplexity, Tavily, Cerebras", "xai- pplx- tvly- csk-",
           rf"{_START}(?:xai|pplx|tvly|csk)-{_HAS_DIGIT}[A-Za-z0-9_-]{{24,}}+"),
    _token("Replicate", "r8_", rf"{_START}r8_[A-Za-z0-9]{{30,}}+"),
    _token("npm", "npm_", rf"{_START}npm_[A-Za-z0-9]{{36,}}+"),
    _token("PyPI", "pypi-", rf"{_START}pypi-[A-Za-z0-9_-]{{50,}}+"),
    _token("Docker", "dckr_", rf"{_START}dckr_[po]at_[A-Za-z0-9_-]{{20,}}+"),
    _token("SendGrid", "SG.", rf"{_START}SG\.[A-Za-z0-9_-]{{16,32}}\.[A-Za-z0-9_-]{{32,64}}"),
    _token("DigitalOcean", "_v1_", rf"{_START}do[opr]_v1_[a-f0-9]{{64}}"),
    _token("Databricks", "dapi", rf"{_START}dapi[a-f0-9]{{32}}"),
    _token("Shopify", "shp", rf"{_START}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}"),
    _token("HashiCorp Vault", "hvs. hvb.", rf"{_START}hv[sb]\.[A-Za-z0-9_-]{{24,}}+"),
    _token("Linear, Notion", "lin_api_ ntn_", rf"{_START}(?:lin_api|ntn)_[A-Za-z0-9]{{32,}}+"),
    _token("Telegram bot", ":AA", r"(?<![A-Za-z0-9:])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _token("age", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{50,60}"),
    _token("JSON Web Token", "eyJ",
           rf"{_START}eyJ[A-Za-z0-9_-]{{8,}}+\.[A-Za-z0-9_-]{{8,}}+\.[A-Za-z0-9_-]{{8,}}+(?:\.[A-Za-z0-9_-]++){{0,2}}"),
    _token("Authorization header", "uthorization UTHORIZATION",
           r"""(?i:authorization)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?i:bearer|basic|token|apikey)\s{1,4}"""
           r"(?P<value>[A-Za-z0-9._~+/=-]{8,}+)"),
    _token("Bearer token", "earer BEARER",
           r"(?<![A-Za-z])(?i:bearer)\s{1,4}(?=[A-Za-z._~+/=-]{0,80}+[0-9])(?P<value>[A-Za-z0-9._~+/=-]{16,}+)"),
    _token("password in a URL", "://",
           r"""://[^\s/?#:@'"<>`]{0,128}+:(?!\$[A-Z{(]|[<{]|\*{3})(?P<value>[^\s/'"<>`@]{1,128}+(?:@[^\s/'"<>`@]{1,128}+)*?)"""
           r"@(?=[\w.\[-]++(?:[:/?#\s'\"<>`),;\]]|\Z))", Kind.PASSWORD),
    _token("signed URL", "sig= ignature=",
           r"[?&](?i:sig|(?:X-Amz-|X-Goog-)?Signature)=(?P<value>[A-Za-z0-9%/+=_-]{20,}+)"),
    _token("curl --user", "curl",
           r"(?<![\w-])curl(?=\s)(?:(?!curl\s|\s(?:-u|--user)[ =])[^\n]){0,1000}+\s(?:-u|--user)[ =]"
           r"['\"]?[^\s:'\"]{1,64}:(?P<value>[^\s'\"]{3,128})", Kind.PASSWORD),
)  # fmt: skip


def tokens(text: str) -> Iterator[Span]:
    """Find the keys, tokens and passwords of ``TOKENS``."""
    for row in TOKENS:
        if any(literal in text for literal in row.literals):
            group = "value" if "value" in row.pattern.groupindex else 0
            for match in row.pattern.finditer(text):
                yield Span(*match.span(group), row.kind)


_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"""(?:(?:\s|\\[nr]|["'+,>])*+[A-Za-z0-9+/=]{16,}+)*+""")


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
