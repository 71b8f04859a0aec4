"""Results that are kept: while text streams in, nearly all that is laid out was laid out a moment ago."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 4_000
"""Characters of the longest text that anything is kept for: each version of one that grows would be kept, too."""

_Text = TypeVar("_Text", bound=str | tuple[str, ...])
_Rest = TypeVarTuple("_Rest")
_Result = TypeVar("_Result")


def kept(entries: int) -> Callable[[Callable[[_Text, *_Rest], _Result]], Callable[[_Text, *_Rest], _Result]]:
    """Keep the results of a pure function of a text (or of several), the last used ``entries`` of them."""

    def decorate(function: Callable[[_Text, *_Rest], _Result]) -> Callable[[_Text, *_Rest], _Result]:
        known = lru_cache(entries)(function)

        @wraps(function)
        def look_up(text: _Text, *rest: *_Rest) -> _Result:
            length = len(text) if isinstance(text, str) else sum(map(len, text))
            return known(text, *rest) if length <= LONGEST else function(text, *rest)

        return look_up

    return decorate
