"""Who the user is and what this machine is called, so that neither leaves in a path or a signature."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hybridchat.privacy.cues import listed
from hybridchat.privacy.spans import Kind, Span
from hybridchat.privacy.words import word_detector

_NO_PERSON = frozenset(
    listed(
        "root user users admin administrator home guest ubuntu debian fedora ec2-user vagrant runner travis "
        "circleci jenkins "
        "docker node app www www-data postgres mysql git test tester dev developer me you name username youruser "
        "your-user "
        "public shared default all nobody daemon opt workspace codespace vscode pi oracle azureuser gitpod builder ci "
        "build "
        "jovyan someone somebody linuxbrew localhost localdomain computer machine laptop desktop server host vm"
    )
)
_SHORTEST = 3  # letters of an account, a host or a part of a name
_ORDINARY = frozenset(
    listed("mark will grace rose may june april august art bill bob jack max pat ray rob sue the van von")
)
_PATH = re.compile(
    r"(?:(?<![\w.])/(?:home|Users)/|(?<=[A-Za-z]:)[\\/]{1,4}(?:Users|Documents and Settings)[\\/]{1,4})"
    r"(?P<account>[^\s/\\:*?\"'<>|()\[\]{},;$%~`]{2,64})"
)
_FOLDERS_OF_HOMES = ("/home/", "/Users/", "\\Users\\", "Documents and Settings")


@dataclass(frozen=True, slots=True)
class Identity:
    """Names of the user in full, account names, home directories and host names, each as far as it is known."""

    names: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


NOBODY = Identity()
Find = Callable[[str], Iterable[Span]]


def identity_detectors(identity: Identity) -> tuple[Find, ...]:
    """Return detectors of what ``identity`` holds, and of account names in paths, be they whoever's."""
    words = [
        (Kind.NAME, [spelling for name in identity.names for spelling in _spellings(name)]),
        (Kind.NAME, [name for name in identity.accounts if is_personal(name) and name.casefold() not in _ORDINARY]),
        (Kind.HOST, [part for host in identity.hosts for part in (host, host.partition(".")[0]) if is_personal(part)]),
    ]
    parts = [part for name in identity.names for part in name.split() if _is_surname_like(part)]
    found: list[Find] = [_accounts_in_paths]
    found += [_of_kind(word_detector(spellings), kind) for kind, spellings in words if spellings]
    if parts:
        found.append(_capitalised(parts))
    if homes := [home for home in identity.homes if any(map(is_personal, re.split(r"[\\/]+", home.strip("\\/"))))]:
        found.append(_homes(homes))
    return tuple(found)


def is_personal(name: str) -> bool:
    """Whether an account or a host is called so after somebody, not ``root`` or ``localhost``."""
    return len(name) >= _SHORTEST and name.casefold() not in _NO_PERSON and not name.isdigit()


def _spellings(name: str) -> list[str]:
    parts = name.split()
    if len(parts) < 2:
        return [name] if is_personal(name) and name.casefold() not in _ORDINARY else []
    first, last = parts[0], parts[-1]
    return [name, f"{first} {last}", f"{last} {first}", f"{last}, {first}", f"{first}.{last}", f"{first}{last}",
            f"{first}-{last}", f"{first[0]}.{last}", f"{first[0]}{last}", f"{last}{first}"]  # fmt: skip


def _is_surname_like(part: str) -> bool:
    return len(part) >= _SHORTEST and part.isalpha() and part.casefold() not in _ORDINARY and is_personal(part)


def _of_kind(find: Find, kind: Kind) -> Find:
    def detect(text: str) -> Iterator[Span]:
        return (Span(span.start, span.end, kind) for span in find(text))

    return detect


def _capitalised(parts: Iterable[str]) -> Find:
    """Return a detector of the parts of a name, which are names only where they are written like one."""
    spellings = {spelling for part in parts for spelling in (part.title(), part.upper(), part)}
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(spellings)))})(?![^\W\d_])")

    def detect(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            if not text[match.start() - 1 : match.start()].isalpha():
                yield Span(*match.span(), Kind.NAME)

    return detect


def _homes(homes: Iterable[str]) -> Find:
    """Return a detector of home directories, with either slash, however often it is doubled."""
    spellings = [r"[\\/]{1,4}".join(map(re.escape, re.split(r"[\\/]+", home.rstrip("\\/")))) for home in homes]
    pattern = re.compile(rf"(?:{'|'.join(spellings)})(?![\w.-])")

    def detect(text: str) -> Iterator[Span]:
        return (Span(*match.span(), Kind.HOME) for match in pattern.finditer(text))

    return detect


def _accounts_in_paths(text: str) -> Iterator[Span]:
    for folder in _FOLDERS_OF_HOMES:
        at = text.find(folder)
        while at >= 0:
            match = _PATH.search(text, max(0, at - 4), at + len(folder) + 80)
            if match is not None and is_personal(match["account"].rstrip(".")):
                start = match.start("account")
                yield Span(start, start + len(match["account"].rstrip(".")), Kind.NAME)
            at = text.find(folder, at + len(folder))
