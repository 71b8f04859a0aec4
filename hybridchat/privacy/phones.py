"""Telephone numbers: international, and national ones in the forms that people give them.

A number of no such form is found by the word before it (``contexts``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_INTERNATIONAL = re.compile(r"\+(?<![\w+].)\(?[1-9][0-9]{0,3}\)?(?:[ \-./()]{0,3}[0-9]){6,13}(?![0-9]|\.[0-9])")
_RUN = re.compile(r"[0-9]+")
_FORMS = re.compile(
    r"""
    (?:
    (?:1[ .\-])?\(?[2-9][0-9]{2}(?:\)[ ]?|[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}                  # North America
    |00[1-9][0-9](?:[ \-./()]{0,2}[0-9]){7,12}
    |0[1-9](?P<fr>[ .\-])[0-9]{2}(?:(?P=fr)[0-9]{2}){3}                                       # France, Belgium
    # with a trunk prefix, in groups; no ZIP+4
    |(?![0-9]{5}-[0-9]{4}(?![0-9]))
     \(?0[1-9][0-9]{0,4}(?:\)[ ]?|[ /\-]|[ ][/\-][ ])[0-9]{2,9}(?:[ \-][0-9]{2,5}){0,4}
    |0(?:[67][0-9]{8}|7[0-9]{9}|1[5-7][0-9]{8,9}|4[0-9]{8})   # mobile
    |1[3-9][0-9](?P<cn>[ \-])[0-9]{4}(?P=cn)[0-9]{4}                                          # China
    |[6-9][0-9]{4}[ \-][0-9]{5}                                                               # India
    |[6-9][0-9]{2}(?P<es>[ \-])[0-9]{3}(?P=es)[0-9]{3}                                        # Spain, Poland
    |[6-9][0-9]{2}[ ][0-9]{2}[ ][0-9]{2}[ ][0-9]{2}                                           # Spain
    |\([1-9][0-9]{1,3}\)[ ]?[0-9]{3,5}[ \-][0-9]{3,4}                                         # Brazil
    |8[ ]?\(?[0-9]{3}\)?[ \-][0-9]{3}[ \-][0-9]{2}[ \-][0-9]{2}                               # Russia
    )
    (?![0-9A-Za-z_]|[.,:/\-][0-9])
    """,
    re.VERBOSE,
)
_DATE = re.compile(r"[0-9]{1,2}(?P<sep>[./\- ])[0-9]{1,2}(?P=sep)(?:19|20)[0-9]{2}")
_LENGTHS = {(1, " "), (1, "."), (1, "-"), (1, "("), (2, ")"), (2, " "), (2, "."), (2, "-"), (3, ")"), (3, "-"),
            (3, " "),             (3, "."), (5, " "), (5, "-"), (4, ")"), (4, " ")}  # fmt: skip
_FEWEST, _MOST = 9, 15  # digits of a number that nothing announces; E.164 has 15


def phone_numbers(text: str) -> Iterator[Span]:
    """Find telephone numbers by their form alone."""
    for match in _INTERNATIONAL.finditer(text):
        yield Span(*match.span(), Kind.PHONE)
    done = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        if start < done or not (
            (text[start] == "0" and end - start < 16) or (end - start, text[end : end + 1]) in _LENGTHS
        ):
            continue
        before = text[start - 1 : start]
        if before == "(":
            start -= 1
            before = text[start - 1 : start]
        if before.isalnum() or before in {"_", "+", ".", ","} or _follows_number(text, start):
            continue
        found = _FORMS.match(text, start)
        if found and _FEWEST <= sum(map(str.isdigit, found[0])) <= _MOST and not _DATE.match(found[0]):
            yield Span(start, found.end(), Kind.PHONE)
            done = found.end()


def _follows_number(text: str, start: int) -> bool:
    """Whether it is the rest of a longer number, as in ``12-345 678 901``."""
    return text[start - 1 : start] in {"-", "/", ":"} and text[start - 2 : start - 1].isdigit()
