"""What is private because of the column that it stands in: tables in Markdown, CSV, TSV, and ``INSERT`` statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_NAMES = {
    Kind.PASSWORD: "password passwd passwort kennwort passphrase passcode pwd contraseña senha hasło пароль 密码",
    Kind.KEY: "token api_key apikey secret secret_key access_key client_secret session_id",
    Kind.BIRTH_DATE: "birth birthdate birth_date birthday date_of_birth dob born geburtsdatum geburtstag geboren "
    "fecha_de_nacimiento date_de_naissance data_de_nascimento data_di_nascita födelsedatum",
    Kind.PHONE: "phone phone_number telephone tel mobile cell fax telefon telefonnummer handy téléphone teléfono",
    Kind.IBAN: "iban account account_number account_no kontonummer",
    Kind.CARD: "card card_number credit_card pan kreditkarte cvv cvc",
    Kind.ID: "ssn social_security national_id passport passport_number tax_id nino personnummer steuer-id dni nif cpf",
    Kind.MAC: "mac mac_address",
    Kind.LOCATION: "lat latitude lon lng longitude coordinates",
    Kind.ADDRESS: "address street street_address home_address adresse anschrift straße dirección",
}
_KINDS = {name.replace("_", " "): kind for kind, names in _NAMES.items() for name in names.split()}
_LONGEST_LINE = 600
_DELIMITERS = ("|", "\t", ";", ",")
_QUOTES = " \t\r\"'`*"
_INSERT = re.compile(
    r"insert\s{1,4}into\s{1,4}[^\s(]{1,100}\s{0,4}\((?P<names>[^()\n]{1,400})\)\s{1,4}values\s{0,4}", re.IGNORECASE
)
_ROW = re.compile(r"\s{0,8}\((?P<cells>[^()]{1,1000})\)\s{0,4},?")
_STAND_IN = re.compile(r"[<\[{$%?].*|[x*.-]+|null|none|(?:var)?char.*|text|string", re.IGNORECASE)
_WITH_DIGITS = {Kind.BIRTH_DATE: 4, Kind.PHONE: 5, Kind.IBAN: 5, Kind.CARD: 3, Kind.ID: 4, Kind.MAC: 1,
                Kind.LOCATION: 3, Kind.ADDRESS: 1}  # fmt: skip


def in_columns(text: str) -> Iterator[Span]:
    """Find the values of columns whose heads say that they are private."""
    start = 0
    while start < len(text):
        spans, end = _table(text, start)
        yield from spans
        start = end
    if "nsert" in text or "NSERT" in text:
        for match in _INSERT.finditer(text):
            yield from _inserted(text, match)


def _table(text: str, start: int) -> tuple[list[Span], int]:
    """Return what is private in a table whose head begins at ``start``, and where the line or the table ends."""
    head = _line(text, start)
    begin = start + len(head) + 1
    delimiter = next((sign for sign in _DELIMITERS if head.count(sign) > (sign == "|")), "")
    row = _line(text, begin) if delimiter else ""
    if not delimiter or row.count(delimiter) != head.count(delimiter):
        return [], begin
    columns = head.split(delimiter)
    kinds = {at: kind for at, name in enumerate(columns) if (kind := _kind_of(name))}
    spans: list[Span] = []
    while kinds and begin < len(text):
        cells = _line(text, begin).split(delimiter)
        if len(cells) != len(columns):
            break
        spans += _private(cells, kinds, begin, delimiter)
        begin += sum(map(len, cells)) + len(cells)
    return spans, begin


def _inserted(text: str, match: re.Match[str]) -> Iterator[Span]:
    columns = match["names"].split(",")
    kinds = {at: kind for at, name in enumerate(columns) if (kind := _kind_of(name))}
    row = _ROW.match(text, match.end())
    while kinds and row is not None:
        cells = row["cells"].split(",")
        if len(cells) == len(columns):
            yield from _private(cells, kinds, row.start("cells"), ",")
        row = _ROW.match(text, row.end())


def _line(text: str, start: int) -> str:
    end = text.find("\n", start, start + _LONGEST_LINE)
    return text[start : end if end >= 0 else start + _LONGEST_LINE]


def _kind_of(name: str) -> Kind | None:
    return _KINDS.get(" ".join(name.strip(_QUOTES).lower().replace("_", " ").split()))


def _private(cells: list[str], kinds: dict[int, Kind], begin: int, delimiter: str) -> Iterator[Span]:
    for at, cell in enumerate(cells):
        value = cell.strip(_QUOTES)
        if at in kinds and _is_private(value, kinds[at]):
            start = begin + cell.index(value)
            yield Span(start, start + len(value), kinds[at])
        begin += len(cell) + len(delimiter)


def _is_private(value: str, kind: Kind) -> bool:
    digits = sum(character.isdigit() for character in value)
    if kind in _WITH_DIGITS:
        return digits >= _WITH_DIGITS[kind] and (kind is not Kind.ADDRESS or any(map(str.isalpha, value)))
    if _STAND_IN.fullmatch(value) or " " in value:
        return False
    return len(value) >= 4 and (digits > 0 or not value.isalpha())
