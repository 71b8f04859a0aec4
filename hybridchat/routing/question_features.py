"""What a question gives away before anything is generated: little, so that it only shades the estimate.

On its own the question tells right from wrong answers hardly better than a coin (AUROC about .6): no turn is sent to
the remote model for how its question looks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from math import log1p

SCANNED = 4000
"""Characters that are looked at, so that a pasted document costs nothing."""

_OPERATORS = re.compile(r"[+*/=^<>%×÷√∑∫≤≥]|(?<=[\d\s)])[-−](?=[\s\d(])")
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_CODE = re.compile(
    r"```|\bdef \w+\(|\w+\(.*\)\s*[;{]|^\s*(?:#include|import |from \w+ import|class \w+|SELECT )", re.MULTILINE
)
_RECENT = re.compile(
    r"\b(?:today|tonight|yesterday|tomorrow|latest|newest|current(?:ly)?|right now|this (?:week|month|year)"
    r"|recent(?:ly)?|news|heute|gestern|morgen|aktuell\w*|neueste\w*|derzeit|aujourd'hui|hier|demain|actuel\w*"
    r"|récent\w*|hoy|ayer|mañana|actual(?:mente)?|últim[oa]s?|oggi|ieri|domani|attual\w*|hoje|ontem|amanhã|atual\w*|vandaag|gisteren|nieuwste"
    r"|dzisiaj|wczoraj|aktualn\w*|сегодня|вчера|завтра|последни\w*|сейчас)\b|今天|最新|现在|今日|現在|오늘|최신|اليوم|الآن",
    re.IGNORECASE,
)
_TYPES = {
    "asks_number": re.compile(
        r"\b(?:how (?:many|much|long|far|old|tall)|wie ?viele?|combien|cuánt\w+|quant[oaie]s?|сколько)\b", re.IGNORECASE
    ),
    "asks_why": re.compile(
        r"\b(?:why|how (?:does|do|is|are|can|to)|explain|warum|wieso|erkläre?|pourquoi|por qué|perché|почему)\b",
        re.IGNORECASE,
    ),
    "asks_fact": re.compile(
        r"\b(?:who|when|where|which|what (?:is|was|are)|wer|wann|wo|qui|quand|où|quién|cuándo|dónde|chi"
        r"|кто|когда|где)\b",
        re.IGNORECASE,
    ),
    "asks_to_write": re.compile(
        r"\b(?:write|summari[sz]e|translate|rewrite|schreibe?|übersetze?|écri[st]|traduis|escrib\w+|traduce|scrivi|напиши)\b",
        re.IGNORECASE,
    ),
}


def question_features(text: str) -> Mapping[str, float]:
    """Return the features of a question by name: logarithms of counts, and flags (0 or 1)."""
    seen = text[:SCANNED]
    letters = [character for character in seen if character.isalpha()]
    return {
        "q_characters": log1p(len(text)),
        "q_numbers": log1p(len(_NUMBERS.findall(seen))),
        "q_digits": log1p(sum(character.isdigit() for character in seen)),
        "q_operators": log1p(len(_OPERATORS.findall(seen))),
        "q_code": float(_CODE.search(seen) is not None),
        "q_recent": float(_RECENT.search(seen) is not None),
        "q_foreign_script": _share_not_latin(letters[:200]),
        **{f"q_{name}": float(pattern.search(seen) is not None) for name, pattern in _TYPES.items()},
    }


def _share_not_latin(letters: list[str]) -> float:
    foreign = sum(not letter.isascii() and not unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return foreign / max(1, len(letters))
