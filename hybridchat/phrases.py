"""How a person is told of things, in lines and on the screen: provenance, confidence, redactions, sizes."""

from __future__ import annotations

from collections.abc import Mapping

from hybridchat.messages import Confidence, Place, Provenance

_WHERE = {Place.LOCAL: "on this machine", Place.REMOTE: "remote"}


def where(place: Place) -> str:
    """Return where a model runs: ``on this machine`` or ``remote``."""
    return _WHERE[place]


def short_model(name: str) -> str:
    """Return a model's name without the organisation in front: ``Llama-3.3-70B-Instruct``."""
    return name.rpartition("/")[2]


def confidence(value: Confidence | None, threshold: float | None = None) -> str:
    """Return a word and a number, and whether it is calibrated: ``fairly sure (64%, uncalibrated)``.

    The number has the decimals that tell it from ``threshold``, where that is shown beside it.
    """
    if value is None:
        return "confidence unknown"
    word = "sure" if value.value >= 0.8 else "fairly sure" if value.value >= 0.5 else "unsure"
    caveats = [] if value.calibrated else ["uncalibrated"]
    if value.basis != "logprobs":
        caveats.append(f"read from {value.basis}")
    number = percent(value) if threshold is None else percentages(value.value, threshold)[0]
    return f"{word} ({', '.join([number, *caveats])})"


def percent(value: Confidence) -> str:
    """Return a confidence as a whole percentage."""
    return f"{value.value:.0%}"


def percentages(one: float, other: float) -> tuple[str, str]:
    """Return two probabilities as percentages, with as many decimals as keep different ones apart: 22.8%, 23.1%."""
    said = [(f"{one:.{digits}%}", f"{other:.{digits}%}") for digits in range(3)]
    return next((pair for pair in said if pair[0] != pair[1]), said[0])


def provenance(source: Provenance) -> str:
    """Return where an answer came from, in a line."""
    parts = [f"{short_model(source.model)} ({where(source.place)}, {source.endpoint})"]
    if source.confidence is not None:
        parts.append(confidence(source.confidence))
    if source.usage.completion_tokens is not None:
        parts.append(counted(source.usage.completion_tokens, "token"))
    if (speed := tokens_per_second(source)) is not None:
        parts.append(f"{speed:.3g} tokens/s")
    if source.seconds is not None:
        parts.append(f"{source.seconds:.1f} s")
    if source.cost is not None:
        parts.append(money(source.cost))
    if source.reason:
        parts.append(source.reason)
    return ", ".join(parts)


def tokens_per_second(source: Provenance) -> float | None:
    """Return the speed of an answer after its first token; None where it is not known."""
    tokens, seconds, first = source.usage.completion_tokens, source.seconds, source.first_token_seconds
    if tokens is None or tokens < 2 or seconds is None or first is None or seconds <= first:
        return None
    return (tokens - 1) / (seconds - first)


def trimmed(place: Place, turns: int, window: int) -> str:
    """Return what tells that the oldest turns are left out: by the user (``window`` 0), or for they do not fit."""
    left_out = f"left out: the oldest {counted(turns, 'turn')}"
    if not window:
        return f"not given to the {place} model, {left_out}"
    return f"the conversation exceeds the {window:,} tokens that the {place} model can read: {left_out}"


def condensed(place: Place, turns: int, before: int, after: int) -> str:
    """Return what tells that a summary stands for the oldest turns."""
    return (
        f"the {place} model is given a summary of the oldest {counted(turns, 'turn')}: "
        f"about {counted(after, 'token')} instead of {before:,}"
    )


def money(dollars: float) -> str:
    """Return US dollars with as many digits as small sums need."""
    return f"${dollars:.2f}" if dollars >= 0.1 or dollars == 0 else f"${dollars:.5f}"


def never_left(answers: int, tokens: int, size: int, saved: float | None) -> str:
    """Return what stayed on this machine: answers, tokens, bytes, and what the remote model would have cost."""
    worth = "" if saved is None else f", {money(saved)} at the remote model's price"
    return f"never left: {counted(answers, 'answer')}, {counted(tokens, 'token')}, {counted(size, 'byte')}{worth}"


def redactions(by_kind: Mapping[str, int]) -> str:
    """Return what was replaced by placeholders: ``2 e-mail addresses, 1 key``; empty if nothing was."""
    named = ((count, _PRIVATE.get(kind.upper(), (kind.lower(), kind.lower()))) for kind, count in by_kind.items())
    return ", ".join(f"{count} {one if count == 1 else more}" for count, (one, more) in named if count)


_PRIVATE = {
    "PRIVATE_KEY": ("private key", "private keys"),
    "KEY": ("key", "keys"),
    "PASSWORD": ("password", "passwords"),
    "SECRET": ("random-looking string", "random-looking strings"),
    "EMAIL": ("e-mail address", "e-mail addresses"),
    "PHONE": ("phone number", "phone numbers"),
    "IBAN": ("bank account", "bank accounts"),
    "CARD": ("card number", "card numbers"),
    "ID": ("identity number", "identity numbers"),
    "IP": ("IP address", "IP addresses"),
    "MAC": ("MAC address", "MAC addresses"),
    "LOCATION": ("coordinate", "coordinates"),
    "BIRTH_DATE": ("date of birth", "dates of birth"),
    "ADDRESS": ("postal address", "postal addresses"),
    "NAME": ("name", "names"),
    "HOME": ("home directory", "home directories"),
    "HOST": ("host name", "host names"),
    "WORD": ("word of yours", "words of yours"),
}
"""What a kind of private value is called: one of it, and several."""


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: ``1 token``, ``2,048 tokens``."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
