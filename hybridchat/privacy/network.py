"""Addresses of machines and places: IP, MAC, coordinates."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IP4 = re.compile(r"\.(?=[0-9]{1,3}\.[0-9]{1,3}\.[0-9])")
_IP4_HEAD = re.compile(rf"(?<![0-9A-Za-z_.]){_OCTET}\Z")
_IP4_TAIL = re.compile(rf"\.{_OCTET}\.{_OCTET}\.{_OCTET}(?![0-9A-Za-z_]|\.[0-9])")
_VERSION = re.compile(r"(?:\bv|version|release|ver|==|>=|<=|~=|\^|~)[\s\"'=:]{0,3}\Z", re.IGNORECASE)
_NO_MACHINE = re.compile(r"127\.|0\.0\.0\.0\Z|255\.|0\.")
_IP6 = re.compile(r":(?=[0-9A-Fa-f]{0,4}:)")
_IP6_AROUND = re.compile(r"[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})?")
_WORDY = re.compile(r"[0-9A-Za-z_:.]")
_MAC = re.compile(
    r"(?P<sep>[:\-])(?<=[0-9A-Fa-f]{2}.)(?<![0-9A-Za-z_]..[:\-])(?<![0-9A-Fa-f][:\-]..[:\-])"
    r"(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z_]|[:\-][0-9A-Fa-f])"
)
_CISCO = re.compile(r"\.(?<=[0-9A-Fa-f]{4}.)(?<![0-9A-Za-z_.].{5})[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Za-z_.])")
_NO_MAC = re.compile(r"(?:[0fF][0fF][:\-]){5}[0fF][0fF]\Z")
_POINT = re.compile(
    r"\.(?P<first>[0-9]{3,})°?[ ]?[NSns]?(?P<between>[,;/ \t][ ]{0,2}(?:[EWO][ ])?[\"']?)(?P<second>[+-]?[0-9]{1,3}\."
    r"[0-9]{3,}(?:°?[ ]?[EWOew](?![a-z]))?)"
)
_POINT_HEAD = re.compile(r"(?<![0-9A-Za-z_.])[+-]?[0-9]{1,2}\Z")
_IN_A_LIST = re.compile(r"[0-9][,;]\s{0,4}\Z")
_MAPS = ("@", "coordinates>", "geo:")
_LIST_GOES_ON = re.compile(r"\s{0,4}[,;]\s{0,4}[+-]?[0-9]|[0-9A-Za-z_.]*[A-Za-z_]")
_DEGREES = re.compile(
    r"°(?<=[0-9].)[ ]?[0-9]{1,2}(?:[.,][0-9]+)?[ ]?['′’](?:[ ]?[0-9]{1,2}(?:[.,][0-9]+)?[ ]?(?:[\"″”]|''))?[ ]?[NSEWO]"
)
_DEGREES_HEAD = re.compile(r"(?<![0-9.])[0-9]{1,3}\Z")


def machine_addresses(text: str) -> Iterator[Span]:
    """Find IPv4, IPv6 and MAC addresses; not those that mean this machine, no machine or all of them."""
    if "." in text:
        yield from _ip4(text)
        yield from (Span(m.start() - 4, m.end(), Kind.MAC) for m in _CISCO.finditer(text))
    if ":" in text:
        yield from _ip6(text)
    for match in _MAC.finditer(text):
        if not _NO_MAC.match(text, match.start() - 2, match.end()):
            yield Span(match.start() - 2, match.end(), Kind.MAC)


def _ip4(text: str) -> Iterator[Span]:
    for match in _IP4.finditer(text):
        head = _IP4_HEAD.search(text, max(0, match.start() - 4), match.start())
        tail = _IP4_TAIL.match(text, match.start())
        if (
            head
            and tail
            and not _NO_MACHINE.match(text, head.start(), tail.end())
            and not _VERSION.search(text, max(0, head.start() - 12), head.start())
        ):
            yield Span(head.start(), tail.end(), Kind.IP)


def _ip6(text: str) -> Iterator[Span]:
    done = 0
    for match in _IP6.finditer(text):
        start = match.start()
        if start < done:
            continue
        while start > done and match.start() - start < 5 and text[start - 1] in "0123456789abcdefABCDEF:":
            start -= 1
        around = _IP6_AROUND.match(text, start)
        if around is None:
            continue
        done = around.end()
        if not _WORDY.match(text[start - 1 : start]) and not _WORDY.match(text[done : done + 1]):
            written = around[0]
            if _is_ip6(written):
                yield Span(start, done, Kind.IP)


def _is_ip6(written: str) -> bool:
    digits = [character for character in written if character.isdigit()]
    if len(written) < 6 or not digits or written.count(":") < 2:
        return False
    if written.count(":") == 2 and not re.match(r"[23f][0-9a-f]{3}::", written, re.IGNORECASE):
        return False  # as in C++: ab1::cd
    try:
        address = ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def coordinates(text: str) -> Iterator[Span]:
    """Find pairs of decimal degrees, each of the two by itself, and degrees, minutes and seconds."""
    for match in _POINT.finditer(text):
        head = _POINT_HEAD.search(text, max(0, match.start() - 3), match.start())
        if head is None or _IN_A_LIST.search(text, max(0, head.start() - 6), head.start()):
            continue
        of_a_map = text.endswith(_MAPS, 0, head.start())  # height or zoom follows
        if not of_a_map and _LIST_GOES_ON.match(text, match.end()):
            continue
        latitude = float(f"{head[0]}.{match['first']}")
        longitude = float(match["second"].rstrip("°EWOew "))
        if abs(latitude) <= 90 and abs(longitude) <= 180 and max(abs(latitude), abs(longitude)) >= 1:
            first_end = match.start("between")
            yield Span(head.start(), first_end, Kind.LOCATION)
            yield Span(*match.span("second"), Kind.LOCATION)
    if "°" in text:
        for match in _DEGREES.finditer(text):
            head = _DEGREES_HEAD.search(text, max(0, match.start() - 3), match.start())
            if head:
                yield Span(head.start(), match.end(), Kind.LOCATION)
