"""All settings by their dotted keys: how each is checked, and what it is called in the environment."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hybridchat.config import forms
from hybridchat.config.settings import Bias, Settings
from hybridchat.errors import UsageError
from hybridchat.messages import DataPolicy, HandOver

PREFIX = "HYBRIDCHAT_"

_SECONDS = forms.number(0, 86_400, above=True)
_DOLLARS = forms.number(0, 1_000_000)
_COUNT = forms.whole(0, 10**12)

FORMS = {
    "local.backend": forms.text(empty=False),
    "local.model": forms.text(empty=False),
    "local.url": forms.url(),
    "local.num_ctx": forms.whole(1, 10_000_000),
    "local.keep_alive": forms.duration(),
    "local.trusted_hosts": forms.texts(),
    "remote.preset": forms.text(empty=False),
    "remote.url": forms.url(),
    "remote.model": forms.text(),
    "remote.fallbacks": forms.texts(),
    "remote.key_name": forms.name(),
    "remote.key_command": forms.text(),
    "remote.price_input": _DOLLARS,
    "remote.price_output": _DOLLARS,
    "remote.connect_timeout": _SECONDS,
    "remote.first_token_timeout": _SECONDS,
    "remote.stall_timeout": _SECONDS,
    "answer.max_tokens": forms.whole(1, 10_000_000),
    "answer.temperature": forms.number(0, 2),
    "answer.seed": forms.whole(0, 2**32 - 1),
    "answer.system": forms.text(lines=True),
    "routing.bias": forms.choice(Bias),
    "routing.min_confidence": forms.number(0, 1),
    "routing.second_look": forms.switch(),
    "routing.learn": forms.switch(),
    "routing.shadow": forms.number(0, 1),
    "routing.record": forms.place(),
    "budget.month_dollars": _DOLLARS,
    "budget.month_calls": _COUNT,
    "budget.month_tokens": _COUNT,
    "budget.conversation_dollars": _DOLLARS,
    "budget.conversation_calls": _COUNT,
    "budget.conversation_tokens": _COUNT,
    "privacy.data_policy": forms.choice(DataPolicy),
    "privacy.offline": forms.switch(),
    "privacy.words": forms.texts(),
    "handover.form": forms.choice(HandOver),
    "handover.condense_over": forms.whole(100, 10_000_000),
    "handover.draft": forms.switch(),
    "store.path": forms.place(),
    "store.save": forms.switch(),
    "store.models": forms.place(),
    "store.key_command": forms.text(),
    "retention.days": forms.whole(1, 36_500),
    "retention.ledger_days": forms.whole(1, 36_500),
    "chat.theme": forms.text(),
    "chat.keys": forms.texts(),
}
"""What each setting must look like, in the order in which they are shown."""

SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in FORMS))


def variable(key: str) -> str:
    """Return the environment variable that sets ``key``."""
    return PREFIX + key.replace(".", "_").upper()


def value_of(settings: Settings, key: str) -> object:
    """Return one setting's value."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def build(values: dict[str, object]) -> Settings:
    """Lay checked values over the defaults."""
    defaults = Settings()
    sections: dict[str, Any] = {}
    for field in fields(defaults):
        if field.name in SECTIONS:
            prefix = f"{field.name}."
            chosen = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
            sections[field.name] = type(getattr(defaults, field.name))(**chosen)
    return Settings(**sections)


def suggestion(name: str, known: list[str]) -> str:
    """Return a hint that names the nearest of the names that exist, or all of them where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only a mistake needs it

    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."


def known(key: str) -> str:
    """Return ``key`` if there is such a setting.

    Raises:
        UsageError: There is none; the hint names the nearest.
    """
    if key not in FORMS:
        raise UsageError(f"there is no setting {key!r}", hint=suggestion(key, list(FORMS)))
    return key
