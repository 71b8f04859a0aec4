r"""What stands in a text for what was taken out of it: ``<EMAIL_1>``.

Angle brackets are how people and models write "something goes here", in prose, code, JSON and Markdown alike. Models
change them on the way: ``[EMAIL_1]``, ``<email_1>``, ``\<EMAIL\_1\>``, ``&lt;EMAIL_1&gt;``, ``%3CEMAIL_1%3E``,
``\u003cEMAIL_1\u003e``. These forms, and no others, are recognised: a bare ``EMAIL_1`` is a likely name in code.
"""

from __future__ import annotations

import re

from hybridchat.privacy.spans import Kind

_BRACKETS = [
    ("<", ">"),
    ("[", "]"),
    (r"\<", r"\>"),
    (r"\[", r"\]"),
    ("&lt;", "&gt;"),
    ("%3C", "%3E"),
    (r"\u003c", r"\u003e"),
]
_NUMBER = "[1-9][0-9]{0,5}"


def placeholder(kind: Kind, number: int) -> str:
    """Return the placeholder of the ``number``-th value of ``kind``."""
    return f"<{kind}_{number}>"


def parsed(form: str) -> tuple[Kind, int] | None:
    """Return kind and number of a placeholder in any of its forms, None for other text."""
    match = _CORE.search(form) if FORM.fullmatch(form) else None
    return (Kind(match["kind"].replace("\\", "").upper()), int(match["number"])) if match else None


def _parts(literal: str) -> list[str]:
    """Return a pattern for each character; an underscore may be escaped."""
    return [part for c in literal for part in ([r"\\?", "_"] if c == "_" else [re.escape(c)])]


def _beginning(parts: list[str]) -> str:
    """Return a pattern of the non-empty beginnings of what ``parts`` match in sequence."""
    pattern = ""
    for part in reversed(parts):
        pattern = f"{part}(?:{pattern})?" if pattern else part
    return pattern


_NAME = "|".join("".join(_parts(kind)) for kind in Kind)
_CORE = re.compile(rf"(?P<kind>{_NAME})\\?_(?P<number>{_NUMBER})", re.IGNORECASE)
_FORM = "|".join(rf"{re.escape(opening)}(?:{_NAME})\\?_{_NUMBER}{re.escape(closing)}" for opening, closing in _BRACKETS)
_OPENING = "|".join(re.escape(opening) for opening, _ in _BRACKETS)
_UNFINISHED_OPENING = "|".join(_beginning(_parts(opening)) for opening, _ in _BRACKETS)
_UNFINISHED_NAME = "|".join(_beginning(_parts(kind)) for kind in Kind)
_UNFINISHED_CLOSING = "|".join(_beginning(_parts(closing)) for _, closing in _BRACKETS)
_UNFINISHED = (
    rf"(?:{_OPENING})(?:{_UNFINISHED_NAME}|(?:{_NAME})\\?(?:_(?:{_NUMBER}(?:{_UNFINISHED_CLOSING})?)?)?)"
    rf"|{_UNFINISHED_OPENING}"
)

FORM = re.compile(_FORM, re.IGNORECASE)
"""A placeholder in any of its forms."""

FORM_OR_BEGINNING = re.compile(rf"(?P<form>{_FORM})|(?P<unfinished>(?:{_UNFINISHED})\Z)", re.IGNORECASE)
"""A placeholder, or at the end of the text what may become one."""
