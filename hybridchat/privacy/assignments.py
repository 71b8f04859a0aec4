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
      (?::[^\S\n]?[\w.|\[\] ]{1,30}+=      # the type of an annotated name
        |=>|:=|[:=：＝]{1,2}
        |>(?=[^<\n]{1,200}</))               # an XML element
      [^\S\n]{0,8}
     |\ {1,4}(?:is|ist|lautet|est|es|är|è)\ {1,4}
     |(?P<option>(?<=[a-z])[= ]{1,4})
    )
    (?:\\"(?P<escaped>[^"\\\n]{1,2000}+)\\"
      |"(?P<double>(?:[^"\n\\]|\\.){1,2000}+)"
      |'(?P<single>(?:[^'\n\\]|\\.){1,2000}+)'
      |(?P<bare>[^\s"'`<>]{1,512}+))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OPTION_NAME = re.compile(r"--?[a-z][a-z-]{0,40}\Z")
_STAND_IN = re.compile(
    r"""
    \$[{(]|(?-i:\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+)\Z)         # ${TOKEN}, $(cat key), $TOKEN
    |https?://|%[sd]\b|%\(|<[^>]*>|\[[^\]]*\]|\{{1,2}[^}]*\}{0,2}\Z    # %s, <your key>, [hidden], {{ key }}
    |-{1,2}[a-z]|\.{2,}|…|(.)\1{2,}\Z|[x*-]{3,}            # --next-option, ..., xxxx, ****
    |(?:your|my|the|some|an?|dummy|enter|insert|must|required|optional|invalid)(?:\s|\Z)|your[_-]|change_?me\Z
    |(?:example|placeholder|redacted|none|null|nil|true|false|undefined|str|string|text|password|passwd|secret|token
      |bytes|bool|boolean|number|object|bearer|basic|hidden|empty|missing|wrong|incorrect|expired)\Z
    |(?:u?int|float|varchar|char|utf|sha|md|bytes|base|str|[iuf])-?[0-9]{1,4}\Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CODE = re.compile(r"[A-Za-z_][\w.]*[(\[]|[A-Za-z_]+(?:\.[A-Za-z_]+)+\Z|.*(?:\(\)|=>|->|::)")
_NEXT_PARAMETER = re.compile(r"[&;]\w{1,64}=")
_CLOSING = ",;.)}]"
_DIGIT, _LETTER, _SPECIAL = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[!@#$%^&*+~|?]")


def assigned_secrets(text: str) -> Iterator[Span]:
    """Find the values that are assigned to names such as ``password``, ``secret_key`` or ``token``.

    A value may itself hold an assignment, so the search goes on right after the name; found spans may overlap.
    """
    match = _ASSIGNMENT.search(text)
    while match:
        start, value = match.start(match.lastgroup or 0), _value(match)
        if _is_named(match, text) and not _STAND_IN.match(value) and _looks_secret(value, match):
            yield Span(start, start + len(value), Kind.PASSWORD if match["password"] else Kind.KEY)
        match = _ASSIGNMENT.search(text, match.end("password" if match["password"] else "key"))


def _value(match: re.Match[str]) -> str:
    value: str = match[match.lastgroup or 0]
    return _NEXT_PARAMETER.split(value, maxsplit=1)[0].rstrip(_CLOSING) if match["bare"] else value


def _is_named(match: re.Match[str], text: str) -> bool:
    """Whether the name is what it seems: only after a command's option may mere space stand before the value."""
    if not match["option"]:
        return True
    return _OPTION_NAME.search(text, max(0, match.start() - 40), match.start("option")) is not None


def _looks_secret(value: str, match: re.Match[str]) -> bool:
    has_digit, has_letter = bool(_DIGIT.search(value)), bool(_LETTER.search(value))
    if match["bare"] and _CODE.match(value):
        return False
    if match["key"]:
        return len(value) >= (12 if match["bare"] else 8) and has_digit and has_letter and " " not in value
    if len(value) < 4:
        return False
    if not match["bare"]:
        return has_digit or " " not in value
    is_environment = match["password"].isupper()
    return bool(match["option"] or is_environment or has_digit or _SPECIAL.search(value))
