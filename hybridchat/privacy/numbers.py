"""Numbers that belong to one person: cards, accounts, what states call their citizens.

A shape alone is seldom enough: most rows name the check digits that the number must have (computed by python-stdnum,
loaded when the first candidate appears). Numbers of weak shape are looked for by their names in ``contexts``.
"""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hybridchat.privacy.spans import Kind, Span


@dataclass(frozen=True, slots=True)
class Shape:
    """How a number is written.

    ``checks`` are the modules of ``stdnum`` of which one must find it valid; without any, the shape will do.
    """

    whose: str
    pattern: re.Pattern[str]
    checks: tuple[str, ...]
    kind: Kind


_END = r"(?![0-9A-Za-z_]|[.\-/][0-9])"
_BY_BEGINNING: defaultdict[tuple[int, str], list[Shape]] = defaultdict(list)
_BY_LETTERS: list[Shape] = []


def _digits(whose: str, beginnings: str, pattern: str, checks: str = "", kind: Kind = Kind.ID) -> None:
    """Add a shape; ``beginnings`` say how many digits come first and what follows them (``_``: a space)."""
    shape = Shape(whose, re.compile(pattern + _END), tuple(checks.split()), kind)
    for beginning in beginnings.split():
        count = beginning.rstrip("-_./+A*")
        _BY_BEGINNING[int(count), beginning[len(count) :].replace("_", " ")].append(shape)


def _letters(whose: str, pattern: str, checks: str = "", kind: Kind = Kind.ID) -> None:
    _BY_LETTERS.append(Shape(whose, re.compile(pattern + _END), tuple(checks.split()), kind))


_digits("card in groups", "4- 4_ 4. 4/", r"[2-6]\d{3}([ \-./])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?", "luhn", Kind.CARD)
_digits("American Express, Diners", "4- 4_", r"3\d{3}[ \-]\d{6}[ \-]\d{4,5}", "luhn", Kind.CARD)
_digits("the same in fours", "4- 4_ 4. 4/", r"3\d{3}([ \-./])\d{4}\1\d{4}\1\d{2,3}", "luhn", Kind.CARD)
_digits(
    "card", "13 14 15 16 17 18 19",
    r"(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|(?:6011|65\d\d|64[4-9]\d|62\d\d|35\d\d|220[0-4]"
    r"|5018|5020|5038|5893|6304|67(?:59|6[1-3]))\d{12}|62\d{15,17})", "luhn", Kind.CARD,
)  # fmt: skip
_digits("US SSN", "3-", r"\d{3}-\d{2}-\d{4}")
_digits("US SSN", "3_", r"\d{3} \d{2} \d{4}", "us.ssn us.itin")
_digits("BR CPF", "3.", r"\d{3}\.\d{3}\.\d{3}-\d{2}")
_digits("BR CNPJ", "2.", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}")
_digits("CH AHV", "3.", r"756\.\d{4}\.\d{4}\.\d{2}")
_digits("CH AHV", "13", r"756\d{10}", "ch.ssn")
_digits("BE NN", "2.", r"\d{2}\.\d{2}\.\d{2}-\d{3}[. ]\d{2}")
_digits("PK CNIC", "5-", r"\d{5}-\d{7}-\d")
_digits("UK NHS", "3- 3_", r"\d{3}[ \-]\d{3}[ \-]\d{4}", "gb.nhs")
_digits("CA SIN", "3-", r"\d{3}-\d{3}-\d{3}", "ca.sin")
_digits("SE, FI, DK, IS", "6- 6+ 6A 8- 8+", r"(?:19|20)?\d{6}[\-+A]\d{3}[0-9A-Ya-y]",
        "se.personnummer fi.hetu dk.cpr is_.kennitala")  # fmt: skip
_digits("LV", "6-", r"\d{6}-\d{5}", "lv.pk")
_digits("CZ, SK", "6/", r"\d{6}/\d{3,4}", "cz.rc")
_digits("KR RRN", "6-", r"\d{6}-[1-8]\d{6}")
_digits("MY NRIC", "6-", r"\d{6}-\d{2}-\d{4}", "my.nric")
_digits("RU SNILS", "3-", r"\d{3}-\d{3}-\d{3}[ \-]\d{2}")
_digits("AR CUIT", "2-", r"(?:20|2[3-7]|30|33|34)-\d{8}-\d")
_digits("CL RUT", "1. 2.", r"\d{1,2}\.\d{3}\.\d{3}-[0-9Kk]")
_digits("TH", "1-", r"\d-\d{4}-\d{5}-\d{2}-\d")
_digits("IN Aadhaar", "4- 4_", r"[2-9]\d{3}([ \-])\d{4}\1\d{4}", "in_.aadhaar")
_digits("FR NIR", "1_ 13_ 15 7 7A", r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir")
_digits("DE Steuer-ID", "2_ 11", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr")
_digits("NO, TR, PL, EE, LT", "6_ 11", r"\d{6} ?\d{5}", "br.cpf no.fodselsnummer tr.tckimlik pl.pesel ee.ik lt.asmens")
_digits("ZA, RO", "13", r"\d{13}", "za.idnr ro.cnp")
_digits("CN RIC", "17* 18", r"\d{17}[0-9Xx]", "cn.ric")
_digits("ES DNI", "8* 8- 8_", r"\d{8}[ \-]?[A-Za-z]", "es.dni")
_digits("IE PPS", "7*", r"\d{7}[A-Wa-w][A-IWa-iw]?", "ie.pps")
_letters("IBAN", r"[A-Za-z]{2}\d{2}[ \-.]?(?:[A-Za-z0-9]{4}[ \-.]?){2,7}[A-Za-z0-9]{0,4}", "IBAN", Kind.IBAN)
_letters(
    "UK NINO",
    r"[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z][ \-]?\d{2}(?:[ \-]?\d{2}){2}[ \-]?[A-Da-d]",
)
_letters("ES NIE", r"[XYZxyz][ \-]?\d{7}[ \-]?[A-Za-z]", "es.nie")
_letters("IT codice fiscale", r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]", "it.codicefiscale")
_letters("IN PAN", r"[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z]")
_letters("MX CURP", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d")
_letters("SG NRIC", r"[STFG]\d{7}[A-Z]")
_letters("TW", r"[A-Z][12]\d{8}")
_letters("HK", r"[A-Z]{1,2}\d{6}\([0-9A]\)")

_RUN = re.compile("[0-9]+")
_LETTERS_THEN_DIGITS = re.compile(r"(?<![0-9A-Za-z_])[A-Za-z]{1,6}+[ \-]?[0-9][0-9A-Za-z \-(.]{4}")
_WORDY = re.compile("[A-Za-z_]")
_SEPARATORS = frozenset(" -./+")
_SHORTEST_IBAN = 15
_GAPS = re.compile(r"[ \-./]")


def personal_numbers(text: str) -> Iterator[Span]:
    """Find cards, IBANs and national numbers by shape and check digits."""
    done = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        following = text[end : end + 1]
        if following not in _SEPARATORS:
            following = (
                "A" if following in {"A", "B", "a", "b"} and end - start < 8 else "*" if following.isalpha() else ""
            )
        shapes = _BY_BEGINNING.get((end - start, following), [])
        if following in _SEPARATORS:
            shapes = shapes + _BY_BEGINNING.get((end - start, ""), [])
        if shapes and start >= done and not _runs_on(text, start):
            for shape in shapes:
                found = shape.pattern.match(text, start)
                if found and is_valid(shape.checks, found[0]):
                    yield Span(start, found.end(), shape.kind)
                    done = found.end()
                    break
    for match in _LETTERS_THEN_DIGITS.finditer(text):
        for shape in _BY_LETTERS:
            found = shape.pattern.match(text, match.start())
            end = _valid_end(shape, found) if found else 0
            if end:
                yield Span(match.start(), end, shape.kind)
                break


def _runs_on(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return before.isalnum() or before == "_" or (before in {".", ",", "-"} and text[start - 2 : start - 1].isdigit())


def _valid_end(shape: Shape, found: re.Match[str]) -> int:
    """Return where a valid number ends, 0 where there is none; an IBAN may have taken in a following word."""
    value = found[0].rstrip(" -.")
    while "IBAN" in shape.checks and not is_valid(shape.checks, value):
        value = _shorter(value)
        if len(value) < _SHORTEST_IBAN:
            return 0
    return found.start() + len(value) if is_valid(shape.checks, value) else 0


def _shorter(value: str) -> str:
    last = max(map(value.rfind, " -."))
    return value[:last] if last > 0 else ""


@lru_cache(maxsize=4096)
def is_valid(checks: tuple[str, ...], number: str) -> bool:
    """Whether one of the checks, each a module of ``stdnum``, finds the number valid; without checks, it is."""
    if checks == ("IBAN",):
        return _is_iban(number)
    if checks == ("luhn",):
        number = _GAPS.sub("", number)
    return not checks or any(importlib.import_module(f"stdnum.{check}").is_valid(number) for check in checks)


def _is_iban(number: str) -> bool:
    """ISO 13616: moved to the front to the back, letters as numbers, it leaves 1 modulo 97."""
    compact = _GAPS.sub("", number).upper()
    if not _SHORTEST_IBAN <= len(compact) <= 34 or not compact.isalnum() or not compact.isascii():
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
