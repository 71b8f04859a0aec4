r"""What stands in a text for what was taken out of it: ``HIDDEN_EMAIL_1``, or a number where only a number may stand.

The word is a valid name in every programming language, needs no escape in JSON, XML, URLs or a shell, and says what it
is to a model. Models change it on the way: ``hidden_email_1``, ``HIDDEN\_EMAIL\_1``, ``hiddenEmail1``,
``HIDDEN-EMAIL-1``, ``HIDDEN%5FEMAIL%5F1``; these forms are recognised, in any quotes, brackets or emphasis around them.

In JSON and in code a bare number cannot become a word, so its placeholder is a number of 15 digits (exact in a double):
a mark, the kind, the number of the value, and two check digits (ISO 7064 MOD 97-10), so that no number of the user's is
taken for one by chance.
"""

from __future__ import annotations

import re

from hybridchat.privacy.spans import Kind

_KINDS = list(Kind)
_MARK = "90009"
_SEPARATOR = r"(?:\\{0,2}[_-]|%5F|&#95;|&#x5F;|&lowbar;|\\{1,2}u005f|)"
_NUMBER = r"[1-9][0-9]{0,5}(?![0-9])"
LONGEST = 48
"""The most characters of a placeholder in any form."""


def placeholder(kind: Kind, number: int) -> str:
    """Return the placeholder of the ``number``-th value of ``kind``."""
    return f"HIDDEN_{kind}_{number}"


def numeric_placeholder(kind: Kind, number: int) -> str:
    """Return the placeholder that stands where only a number may: digits, no sign, no leading zero."""
    digits = f"{_MARK}{_KINDS.index(kind):02d}{number:06d}"
    return f"{digits}{98 - int(digits) * 100 % 97:02d}"


def parsed(form: str) -> tuple[Kind, int] | None:
    """Return kind and number of a placeholder in any of its forms, None for other text."""
    match = FORM.fullmatch(form)
    if match is None:
        return None
    if match["digits"] is None:
        name = next(name for name in _KINDS if match[name.value] is not None)
        return name, int(match["number"])
    index, number = int(form[5:7]), int(form[7:13])
    if index >= len(_KINDS) or not number or numeric_placeholder(_KINDS[index], number) != form:
        return None
    return _KINDS[index], number


def _kind_pattern(kind: Kind) -> str:
    return _SEPARATOR.join(kind.split("_"))


def _beginning(parts: list[str]) -> str:
    """Return a pattern of the non-empty beginnings of what ``parts`` match in sequence."""
    pattern = ""
    for part in reversed(parts):
        pattern = f"{part}(?:{pattern})?" if pattern else part
    return pattern


_NAMES = "|".join(f"(?P<{kind}>{_kind_pattern(kind)})" for kind in _KINDS)
_DIGITS = rf"(?<![0-9])(?P<digits>{_MARK}[0-9]{{10}})(?![0-9])"

FORM = re.compile(rf"HIDDEN{_SEPARATOR}(?:{_NAMES}){_SEPARATOR}(?P<number>{_NUMBER})|{_DIGITS}", re.IGNORECASE)
"""A placeholder in any of its forms."""

_LETTERS_OF_SEPARATORS = r"[\w\\%&#;-]"
_BEGUN = re.compile(
    rf"(?:{_beginning(list('HIDDEN'))}|HIDDEN{_LETTERS_OF_SEPARATORS}{{1,{LONGEST - 6}}}"
    rf"|(?<![0-9])(?:{_beginning(list(_MARK))}|{_MARK}[0-9]{{1,10}}))\Z",
    re.IGNORECASE,
)


def unfinished(text: str) -> int:
    """Return where at the end of ``text`` something begins that may yet become a placeholder; its length if nowhere."""
    match = _BEGUN.search(text, max(0, len(text) - LONGEST))
    return match.start() if match else len(text)
