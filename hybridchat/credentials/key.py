"""What a key is, what it may look like, and how it is kept out of sight."""

from __future__ import annotations

import re
from typing import NoReturn

from hybridchat.errors import KeyUnusable

_PRINTABLE = re.compile("[!-~]+")  # what an HTTP header can carry and no shell or editor adds by accident


class Key:
    """A key that shows itself to nobody but who asks for it by ``reveal``; ``source`` says where it came from."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return f"<key from {self.source}>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not written anywhere: it can be neither pickled nor copied")


def variable(name: str) -> str:
    """Return the environment variable that holds the key called ``name``."""
    return "HYBRIDCHAT_KEY_" + re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def checked(value: str, what: str) -> str:
    """Return a key without the white space around it; ``what`` names it in an error, which never shows it.

    Raises:
        KeyUnusable: It is empty, or has white space, control or foreign characters inside.
    """
    value = value.strip()
    if not value:
        raise KeyUnusable(f"{what} is empty", hint="Give the key as the provider shows it.")
    if not _PRINTABLE.fullmatch(value):
        raise KeyUnusable(
            f"{what} has spaces, line breaks or other characters that no key has",
            hint="Give the key alone, on one line, without quotes around it.",
        )
    return value
