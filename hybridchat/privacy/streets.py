"""Postal addresses: a street with a house number, with the town where it follows; and what is called an address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.cues import Cues, listed, vocabulary
from hybridchat.privacy.spans import Kind, Span
from hybridchat.privacy.words import lowered

_CAPITALISED = r"[A-ZÀ-ÖØ-ÞĀ-ŽА-ЯЁ][\w'’.-]{1,24}"
_TOWN = rf"(?:,?\s{{1,3}}(?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}(?:[ ][A-Z]{{2}})?\s{_CAPITALISED}(?:[ ]{_CAPITALISED}){{0,2}})?"
_ENGLISH_TOWN = (
    rf"(?:,?\s{{1,2}}(?:Apt|Suite|Unit|Flat|#)\.?[ ]?[\w-]{{1,6}})?(?:,\s{{1,2}}{_CAPITALISED}(?:[ ]{_CAPITALISED})"
    rf"{{0,2}})?"
    r"(?:,?\s{1,2}[A-Z]{2},?[ ][0-9]{5}(?:-[0-9]{4})?|,?\s{1,2}[A-Z]{1,2}[0-9][0-9A-Z]?[ ][0-9][A-Z]{2})?"
)
_ENGLISH = Cues(
    listed(
        "street st avenue ave road rd lane ln drive dr boulevard blvd court ct place pl way terrace square "
        "crescent close "
        "highway hwy parkway pkwy circle"
    )
)
_ENGLISH_HEAD = re.compile(
    r"(?<![\w.,/-])[0-9]{1,5}[A-Za-z]?,?[ ](?:[NSEW]\.?[ ])?(?:(?:[A-Z][\w'’.-]{1,20}|[0-9]{1,3}(?:st|nd|rd|th))[ ]"
    r"){1,3}\Z"
)
_ENGLISH_TAIL = re.compile(rf"\.?{_ENGLISH_TOWN}")
_SUFFIXES = tuple(
    listed(
        "strasse straße str. weg platz allee gasse ring damm ufer straat laan plein gracht kade gatan vägen "
        "veien gade vej katu"
    )
)
_LONGEST_SUFFIX = max(map(len, _SUFFIXES))
_NUMBER = re.compile(r" [0-9]{1,4}")
_SUFFIXED = re.compile(rf" [0-9]{{1,4}}[ ]?[a-zA-Z]?(?![0-9A-Za-z.:]){_TOWN}")
_SUFFIXED_HEAD = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ][\w.-]{1,20}[ -]){0,2}[A-ZÀ-ÖØ-Þ](?:[^\W\d_]|-){2,30}\.?\Z|(?:[A-ZÀ-ÖØ-Þ][\w.-]{1,20}[ -]){1,3}"
    r"(?:str\.|weg|platz|allee)\Z"
)
_ROMANCE = Cues(
    listed(
        "rue avenue boulevard chemin impasse allée quai calle avenida avda paseo plaza via viale piazza corso "
        "rua travessa praça "
        "place carrer ulica ul ulice улица ул проспект"
    )
)
_ROMANCE_BEFORE = re.compile(r"(?<![\w.,])[0-9]{1,4}(?:[ ]?(?:bis|ter|[A-D]))?,?[ ]\Z")
_ROMANCE_AFTER = re.compile(
    rf"\.?[ ](?:(?:de|du|des|la|le|les|del|della|dos|da|d'|l'|el|los|las)[ ]?){{0,3}}{_CAPITALISED}(?:[ ](?:de[ ]|d"
    rf"el[ ]|la[ ]|di[ ])?{_CAPITALISED}){{0,3}}"
    rf"(?P<number>,?[ ](?:n[º°.]?[ ]?|д\.[ ]?)?[0-9]{{1,4}}[A-Za-z]?(?![0-9]))?(?:,?[ ](?:[0-9]{{1,2}}º?[ ]?[A-Z]?,"
    rf"[ ])?[0-9]{{4,5}}(?:-[0-9]{{3}})?[ ]{_CAPITALISED})?"
)
_CALLED = Cues(
    listed(
        "address anschrift adresse wohnhaft wohnt_in lives_at live_at living_at residing_at dirección domicilio "
        "demeurant "
        "indirizzo residente endereço morada adres woonachtig zamieszkał* adress osoite адрес* 住所 地址 주소 "
        "home_address* "
        "shipping_address* billing_address* postal_address* lieferadresse rechnungsadresse"
    )
)
_CALLED_VALUE = re.compile(
    r"(?![^\W_])[\"'`*)]{0,3}[ \t]{0,2}(?:is\b|ist\b|est\b|es\b|è\b|in\b|[:：=])?[ \t]{0,3}[\"'`]?(?P<value>[^\n\"'`"
    r"<>{}|;=()\[\]]{6,120})"
)
_END_OF_ADDRESS = re.compile(r"[.!?](?:\s|\Z)|,?\s(?:and|und|et|y|e|or|but|please|bitte)\s")
_HOUSE = re.compile(r"(?<![\w.:/-])[0-9]{1,5}(?![.:][0-9])|[0-9]+[-－丁目番号호층]")
_LETTERED = re.compile(r"[A-ZÀ-Þ][^\W\d_]{2,}|[\u0400-\u04ff\u3040-\u9fff\uac00-\ud7a3]{3,}")
_NO_STREET = re.compile(r"https?://|[\w.-]+@|(?:0x)?[0-9a-fA-F.:]+\Z|[a-z]")


def street_addresses(text: str) -> Iterator[Span]:
    """Find addresses by their street, or by what they are called."""
    low = lowered(text)
    words = vocabulary(low)
    for start, end in _ENGLISH.ends(text, low, words):
        if text[start].isupper():
            head = _ENGLISH_HEAD.search(text, max(0, start - 70), start)
            tail = _ENGLISH_TAIL.match(text, end)
            if head and tail:
                yield Span(head.start(), tail.end(), Kind.ADDRESS)
    yield from _suffixed(text, low)
    for start, end in _ROMANCE.ends(text, low, words):
        before = _ROMANCE_BEFORE.search(text, max(0, start - 12), start)
        after = _ROMANCE_AFTER.match(text, end)
        if after and (before or after["number"]):
            yield Span(before.start() if before else start, after.end(), Kind.ADDRESS)
    for _, end in _CALLED.ends(text, low, words):
        called = _CALLED_VALUE.match(text, end)
        if called and _LETTERED.search(called["value"]) and not _NO_STREET.match(called["value"]):
            value = _END_OF_ADDRESS.split(called["value"], maxsplit=1)[0].rstrip(" ,.")
            if _HOUSE.search(value):
                yield Span(called.start("value"), called.start("value") + len(value), Kind.ADDRESS)


def _suffixed(text: str, low: str) -> Iterator[Span]:
    """Find streets such as ``Ringstraße 5``."""
    for number in _NUMBER.finditer(text):
        start = number.start()
        if low[max(0, start - _LONGEST_SUFFIX) : start].endswith(_SUFFIXES):
            head = _SUFFIXED_HEAD.search(text, max(0, start - 60), start)
            tail = _SUFFIXED.match(text, start)
            if head and tail:
                yield Span(head.start(), tail.end(), Kind.ADDRESS)
