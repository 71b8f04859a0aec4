"""Strings that look drawn at random, as keys of unknown make do.

For each pair of neighbouring characters a table tells how much likelier it is in a random string than in names, words
and code (in half bits, from counts over the identifiers of Python's standard library and words of twenty languages);
changes between capitals and small letters count besides. A stretch whose sum is high is random; words, names in code,
dates and versions have a low one. Hashes, commits and UUIDs are random too, but tell nothing: hexadecimal digits of one
case do not count here, only where a name announces a secret (``assignments``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from hybridchat.privacy.encoded import RUN, as_text
from hybridchat.privacy.spans import Kind, Span

_TABLE = (
    "rihhsniohrlefesisefdjlnljssodnlncroqfhreopfnshimfsssirsmfslqerrdisgfprcqsikejqssnssmepnibnjqdpskpnfosihjhsromsrh"
    "hnhgjjkoispfjeojmdefplninssjerpnegqscsshqoepsfjigsqsmsqkhmnpbrlffspilhiosffjgpqsorsicprrcsssesshmlesshmfjsrsrssk"
    "jkfhijhsrslggcfkrjffsjslsjsqdqqpassqhrorrpdlsolserrspssmerpmbqklfsqgnjglskhiirhsoqshemniceosesrgopfmsphhhoqsissk"
    "chspbqrsgssninfdsrinissspsskfogfekeqhsllpjfmsqfejlqsposiliignllrmslhfcjhsdhhgkjpsqsmdsmmdoplisresrehsekghqrsissl"
    "ksromsssmssjsnqppimpassssssmenljcniqfslnigfpshggimnskpskhshqcmoifskmopihpofdiposlssjfrlncnrfessloqglsfhjgsoshnsi"
    "iijmekkqjspfgenhsdferssrsrsrbspmasrsessspphqsqnqrsssssqndsqmdqsecssmsigqsgjqlsossssjhoeohmspesslosoesqmcrssonsnf"
    "imnoioorisrgihjcsmfenqlsqosefqsrasqmfsrmmohssqqigsksnnsolklijlssrssopooossprossissdghighihkkhpmhihjhqhegmkjnopmf"
)
"""28 rows of 28 letters: a to z, any digit, anything else; ``i`` is 0, each letter on is half a bit more."""
_UP, _DOWN, _SAME = 3.0, 1.8, -0.9  # bits for a capital after a small letter, the reverse, and neither
_THRESHOLD = 22.0  # bits: a million times likelier to be random
_SHORTEST = 14
_SHORTEST_OF_LETTERS = 20  # without any digit
_DIGIT = re.compile("[0-9]")
_FEWEST_BITS_OF_A_TAIL = 16.0

_HEXADECIMAL = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?:0x)?(?:[0-9a-f]{6,}|[0-9A-F]{6,}|[0-9]+))(?![A-Za-z0-9])"
)
_PUBLIC = re.compile(
    r"(?:sha(?:1|224|256|384|512)[-:=]|h1:|md5[-:=]|base64,|AAAA[BC][0-9A-Za-z]{0,4}|ssh-(?:rsa|ed25519) )\Z",
    re.IGNORECASE,
)
_PUBLIC_HEAD = re.compile(r"(?:sha(?:1|224|256|384|512)|md5|h1)[-:=]|AAAA(?:B3NzaC1|C3NzaC1|E2VjZHNh)")
_PUBLIC_BLOCK = re.compile(
    r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE REQUEST|PGP (?:MESSAGE|SIGNATURE|PUBLIC KEY B"
    r"LOCK))-----"
)
_PART_OF_A_NAME = re.compile(r"[a-z]{2,}|[A-Z][a-z]+|[A-Z]{2,}|[vV]?[0-9]+|")
_JOINTS = "/.=:,"


def random_strings(text: str) -> Iterator[Span]:
    """Find stretches of letters and digits that nobody would have written."""
    public = _public_blocks(text)
    for match in RUN.finditer(text):
        if match.end() - match.start() < _SHORTEST:
            continue
        run = _HEXADECIMAL.sub(lambda found: "_" * len(found[0]), match[0])
        for first, last in _random_stretches(run):
            start, end = match.start() + first, match.start() + last
            if not (
                (end - start < _SHORTEST_OF_LETTERS and not _DIGIT.search(text, start, end))
                or _PUBLIC.search(text, max(0, match.start() - 10), start)
                or _PUBLIC_HEAD.match(match[0])
                or any(begin <= start < stop for begin, stop in public)
                or as_text(match[0])
            ):
                yield Span(start, end, Kind.SECRET)


def looks_random(word: str) -> bool:
    """Whether a word by itself has enough of a random string to be the rest of one."""
    costs = _costs()
    total = sum(costs.get(first + second, 0.0) for first, second in pairwise(word))
    return total >= min(_FEWEST_BITS_OF_A_TAIL, 1.2 * len(word))


def _random_stretches(run: str) -> Iterator[tuple[int, int]]:
    costs = _costs()
    total = best = 0.0
    start = best_end = 0
    for at, pair in enumerate(pairwise(run)):
        total += costs.get(pair[0] + pair[1], -1.0)
        if total > best:
            best, best_end = total, at + 2
        elif total < 0.0 or total < best - _THRESHOLD:
            if best >= _THRESHOLD and not _is_alphabet(run[start:best_end]):
                yield _widened(run, start, best_end)
            total = best = 0.0
            start = at + 1
    if best >= _THRESHOLD and not _is_alphabet(run[start:best_end]):
        yield _widened(run, start, best_end)


def _widened(run: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch to whole words, over joints such as ``/`` as long as there are no names behind them."""
    while start > 0 and run[start - 1] not in _JOINTS:
        start -= 1
    while end < len(run) and run[end] not in _JOINTS:
        end += 1
    while end < len(run):
        piece = re.split(rf"[{_JOINTS}]", run[end + 1 :], maxsplit=1)[0]
        if _PART_OF_A_NAME.fullmatch(piece) and set(run[end:]) != {"="}:
            break
        end = len(run) if set(run[end:]) == {"="} else end + 1 + len(piece)
    while start > 0 and run[start - 1] == "/":
        piece = re.split(rf"[{_JOINTS}]", run[: start - 1])[-1]
        if _PART_OF_A_NAME.fullmatch(piece):
            break
        start -= 1 + len(piece)
    name_end = run.rfind("=", start, start + len(run[start:end].rstrip("=")))
    if name_end >= 0 and not looks_random(run[start:name_end]):
        start = name_end + 1
    return start, start + len(run[start:end].rstrip("./~-:,"))


def _is_alphabet(stretch: str) -> bool:
    """Whether it is a sequence such as ``ABCDEFG...``."""
    return sum(ord(b) - ord(a) in {1, 0} for a, b in pairwise(stretch)) > len(stretch) / 3


def _public_blocks(text: str) -> list[tuple[int, int]]:
    if "-----BEGIN " not in text:
        return []
    begins = [match.start() for match in _PUBLIC_BLOCK.finditer(text)]
    return [(begin, end if (end := text.find("-----END ", begin)) >= 0 else len(text)) for begin in begins]


@cache
def _costs() -> dict[str, float]:
    """Return the bits of each pair of characters."""
    characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+/=.~"
    table = "".join(_TABLE)
    return {a + b: _bits(table, a, b) for a in characters for b in characters}


def _bits(table: str, a: str, b: str) -> float:
    bits = (ord(table[28 * _row(a) + _row(b)]) - ord("i")) / 2
    if not (a.isalpha() and b.isalpha()):
        return bits
    if a.islower() and b.isupper():
        return bits + _UP
    return bits + (_DOWN if a.isupper() and b.islower() else _SAME)


def _row(character: str) -> int:
    if character.isdigit():
        return 26
    return ord(character.lower()) - ord("a") if character.isalpha() else 27
