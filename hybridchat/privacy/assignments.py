"""Secrets that are known by the name they are given: ``password = ...``, ``api_key: ...``, ``--token ...``.

The name alone says little (``password = getpass()``, ``token: str``), so the value must look like a secret: a quoted
literal, or a bare word that is no code and no stand-in such as ``<your key>`` or ``${TOKEN}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.cues import listed, literal_places, vocabulary
from hybridchat.privacy.spans import Kind, Span
from hybridchat.privacy.words import lowered

_PASSWORDS = listed(
    "password passwd passphrase pass_phrase passwort passcode pwd pw kennwort wachtwoord contraseña clave_secreta "
    "senha hasło heslo lösenord "
    "salasana passord adgangskode parola şifre mot_de_passe пароль 密码 密碼 口令 パスワード 비밀번호 पासवर्ड"
)
_KEYS = listed(
    "api_key apikey api-key access_key accesskey access-key auth_key authkey auth-key account_key "
    "accountkey account-key "
    "private_key privatekey private-key secret_key secretkey secret-key signing_key signingkey signing-key "
    "encryption_key "
    "encryptionkey encryption-key shared_key sharedkey shared_access_key sharedaccesskey subscription_key "
    "subscriptionkey "
    "subscription-key master_key masterkey master-key service_key servicekey license_key licensekey licence_key "
    "activation_key "
    "product_key webhook_key app_key appkey api_secret apisecret client_secret clientsecret secret token credential "
    "credentials cookie session_id sessionid session-id sessid jsessionid phpsessid sid csrf nonce bearer "
    "auth_code salt psk "
    "wpa_key wpa2_key wifi_key network_key pat "
    "jwt signature passkey private_token api_hash bot_id dsn ключ 密钥 秘钥 令牌"
)
_CUES = (
    *((cue.replace("_", " "), True) for cue in _PASSWORDS),
    *((cue, False) for cue in _KEYS),
    *((cue.replace("_", " "), False) for cue in _KEYS if "_" in cue),
    ("clave secreta", True),
    ("pass", True),
)
_WITH_DIGITS_ONLY = frozenset(listed("nonce salt pat sid cookie csrf signature pass pw bearer"))

_AFTER_NAME = re.compile(
    r"""
    (?:_?(?:[0-9]{1,2}|id|value|hash|base64|key|prod|dev|live|test|data|raw))?
    (?:
      \\?["'`\]]{0,2}[^\S\n]{0,8}
      (?::[^\S\n]?[\w.|\[\] ]{1,30}+=      # the type of an annotated name
        |=>|:=|[:=：＝]{1,2}
        |>(?=[^<\n]{1,200}</)               # an XML element
        |,(?=[^\S\n]?["'`]))                # an argument or a pair
      [^\S\n]{0,8}
     |\ {1,4}(?:is|was|ist|war|lautet|est|es|är|è|é|был|это|to|of|are|from)(?::|\b)\ {0,4}
     |は|是|为|為
     |(?P<option>(?<=[a-z])[= ]{1,4})
    )
    (?:[*_]{1,3}[^\S\n]?)?
    (?:\\"(?P<escaped>[^"\\\n]{1,2000}+)\\"
      |"(?P<double>(?:[^"\n\\]|\\.){1,2000}+)"
      |'(?P<single>(?:[^'\n\\]|\\.){1,2000}+)'
      |`(?P<back>[^`\n]{1,500}+)`
      |(?P<bare>[^\s"'`<>]{1,512}+))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_IN_PROSE = re.compile(
    r"""
    (?:[^\S\n]{1,3}(?:[0578][^\S\n]{1,2})?                       # password hunter22, password 7 ...
      |(?:[^\S\n]{1,3}[^\W\d_]{1,20}){1,6}?[^\S\n]{1,3}(?:is|was|ist|war|lautet|est|es|è|é|to|from)[^\S\n]{1,3}
      |[^\S\n]{0,2}[({][^\S\n]?(?=["'])                           # password("...")
      |[^\S\n]{0,2}=[^\S\n]{0,2}N(?=')                            # password = N'...'
      |[*_"]{0,3}[:=]?[*_]{0,3}[^\S\n]{0,4}\r?\n[^\S\n]{0,12}(?=\S{6,128}[^\S\n]*(?:\n|\Z)))
    (?:(?P<quote>["'`])(?P<quoted>[^"'`\n]{6,128})(?P=quote)|(?P<bare>[^\s"'`<>()\[\]{}=]{6,128}))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_STRONG = re.compile(r"(?=[^\d]*\d)(?=[\W\d_]*[^\W\d_]).{7,}")
_OPTION_NAME = re.compile(r"--?[a-z][a-z-]{0,40}\Z")
_PASSWORD_OPTION = re.compile(
    r"(?<![\w-])(?:mysql|mysqldump|mysqladmin|mariadb)(?=\s)[^\n]{0,200}?\s-p(?P<value>[^\s'\"-][^\s'\"]{2,64})"
)
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
_CLOSING = ",;.)}]*"
_DIGIT, _LETTER, _SPECIAL = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[!@#$%^&*+~|?]")


def assigned_secrets(text: str) -> Iterator[Span]:
    """Find the values that are assigned to names such as ``password``, ``secret_key`` or ``token``.

    A value may itself hold an assignment, so found spans may overlap.
    """
    low = lowered(text)
    words = vocabulary(low)
    for cue, is_password in _CUES:
        for end in literal_places(low, words, cue):
            if is_password and (said := _said(text, end)):
                yield said
            match = _AFTER_NAME.match(text, end)
            if match is None:
                continue
            start, value = match.start(match.lastgroup or 0), _value(match)
            is_upper = text[end - len(cue) : end].isupper()
            kind = _kind(cue, value, match, is_password=is_password, is_environment=is_upper)
            if kind and _is_named(match, text) and not _STAND_IN.match(value):
                yield Span(start, start + len(value), kind)
    if "mysql" in words or "mariadb" in words:
        for match in _PASSWORD_OPTION.finditer(text):
            yield Span(*match.span("value"), Kind.PASSWORD)


def _said(text: str, end: int) -> Span | None:
    """Return the password that is told in a sentence, a call or on the next line: only one that looks like it."""
    match = _IN_PROSE.match(text, end)
    if match is None:
        return None
    group = match.lastgroup or "bare"
    value = match[group].rstrip(_CLOSING)
    is_one = _STRONG.match(value) and " " not in value and not _STAND_IN.match(value) and not _CODE.match(value)
    return Span(match.start(group), match.start(group) + len(value), Kind.PASSWORD) if is_one else None


def _value(match: re.Match[str]) -> str:
    value: str = match[match.lastgroup or 0]
    return _NEXT_PARAMETER.split(value, maxsplit=1)[0].rstrip(_CLOSING) if match["bare"] else value


def _is_named(match: re.Match[str], text: str) -> bool:
    """Whether the name is what it seems: only after a command's option may mere space stand before the value."""
    if not match["option"]:
        return True
    return _OPTION_NAME.search(text, max(0, match.start() - 40), match.start("option")) is not None


def _kind(cue: str, value: str, match: re.Match[str], *, is_password: bool, is_environment: bool) -> Kind | None:
    has_digit, has_letter = bool(_DIGIT.search(value)), bool(_LETTER.search(value))
    if match["bare"] and _CODE.match(value):
        return None
    if not is_password:
        long_enough = len(value) >= (12 if match["bare"] else 8)
        return Kind.KEY if long_enough and has_digit and has_letter and " " not in value else None
    if len(value) < 4 or (cue in _WITH_DIGITS_ONLY and not (has_digit and len(value) >= 6)):
        return None
    if not match["bare"]:
        return Kind.PASSWORD if has_digit or " " not in value else None
    return Kind.PASSWORD if match["option"] or is_environment or has_digit or _SPECIAL.search(value) else None
