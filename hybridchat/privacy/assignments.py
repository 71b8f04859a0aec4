"""Secrets that are known by the name they are given: ``password = ...``, ``api_key: ...``, ``--token ...``.

The name alone says little (``password = getpass()``, ``token: str``), so the value must look like a secret: a quoted
literal, or a bare word that is no code and no stand-in such as ``<your key>`` or ``${TOKEN}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_ASSIGNMENT = re.compile(
    r"""
    (?:(?P<password>pass(?:word|wd|phrase|wort|code)|pwd|passwort|kennwort|wachtwoord|contraseña|mot\ de\ passe|senha
        |hasło|пароль|密码|密碼|パスワード|비밀번호)
      |(?P<key>(?:api|access|auth|account|private|secret|signing|encryption|shared|subscription)[_-]?(?:access[_-]?)?key
        |secret|token|credentials?))
    (?:_?[0-9]{1,2})?
    (?:
      \\?["'`\]]{0,2}[^\S\n]{0,8}
      (?::[^\S\n]?[\w.|\[\] ]{1,30}+=|=>|:=|[:=：＝]{1,2}|>)   # an annotated name may stand between : and =
      [^\S\n]{0,8}
     |(?P<option>(?<=[a-z])[= ]{1,4})
    )
    (?:\\"(?P<escaped>[^"\\\n]{1,200}+)\\"
      |"(?P<double>(?:[^"\n\\]|\\.){1,200}+)"
      |'(?P<single>(?:[^'\n\\]|\\.){1,200}+)'
      |(?P<bare>[^\s"'`<>]{1,200}+))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OPTION_NAME = re.compile(r"--?[a-z][a-z-]{0,40}\Z")
_STAND_IN = re.compile(
    r"""
    [$%{<\[*&@-]|\.{2,}|…|(.)\1{2,}\Z|x{3,}              # ${TOKEN}, %s, {{x}}, ***, -----, xxxx
    |(?:your|my|the|some|example|dummy|changeme|change_me|placeholder|redacted|enter|insert|required|optional|invalid)\b
    |(?:your|my|example|changeme|placeholder)[_-]
    |(?:none|null|nil|true|false|undefined|str|string|text|password|passwd|secret|token|bytes|bool|boolean|number|object
      |bearer|basic|hidden|empty|missing|wrong|incorrect|expired)\Z
    |(?:u?int|float|varchar|char|utf|sha|md|bytes|base|str|[iuf])-?[0-9]{1,4}\Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CODE = re.compile(r"[A-Za-z_][\w.]*[(\[]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z|.*(?:\(\)|=>|->|::)")
_NEXT_PARAMETER = re.compile(r"&\w{1,64}=")
_CLOSING = ",;.)}]"


def assigned_secrets(text: str) -> Iterator[Span]:
    """Find the values that are assigned to names such as ``password``, ``secret_key`` or ``token``."""
    for match in _ASSIGNMENT.finditer(text):
        group = match.lastgroup or ""
        start, value = match.start(group), match[group]
        if group == "bare":
            value = _NEXT_PARAMETER.split(value, maxsplit=1)[0].rstrip(_CLOSING)
        kind = Kind.PASSWORD if match["password"] else Kind.KEY
        if match["option"] and not _OPTION_NAME.search(text, max(0, match.start() - 40), match.start("option")):
            continue
        if _STAND_IN.match(value):
            continue
        if _looks_secret(value, kind=kind, bare=group == "bare", named=match):
            yield Span(start, start + len(value), kind)


def _looks_secret(value: str, *, kind: Kind, bare: bool, named: re.Match[str]) -> bool:
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    if bare and _CODE.match(value):
        return False
    if kind is Kind.KEY:
        return len(value) >= (12 if bare else 8) and has_digit and has_letter and " " not in value
    if not bare:
        return len(value) >= 4 and (has_digit or " " not in value)
    is_environment = named[0].isupper() or named["password"].isupper()
    return len(value) >= 4 and (
        bool(named["option"]) or is_environment or has_digit or any(c in "!@#$%^&*+~|?" for c in value)
    )
