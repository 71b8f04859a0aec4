"""Loads settings: flags over the environment over the user's file over the defaults; a folder can only tighten.

Three settings follow a rule of their own. ``privacy.data_policy`` is the strictest of all that are set, wherever.
``privacy.words`` adds a folder's words to the user's. ``routing.min_confidence`` is the higher one of the user's file
and the folder, unless a flag or the environment says it for this run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from hybridchat.config import documents, keys, paths
from hybridchat.config import folder as folders
from hybridchat.config.settings import Settings
from hybridchat.config.sources import DEFAULT, Found, Layer, Origin, Source
from hybridchat.errors import BadConfiguration, UsageError

if TYPE_CHECKING:
    from hybridchat.config.forms import Form
    from hybridchat.messages import DataPolicy

FILE_VARIABLE = "HYBRIDCHAT_CONFIG"
_OTHER_VARIABLES = (FILE_VARIABLE, "HYBRIDCHAT_KEY_", "HYBRIDCHAT_EMBEDDED_", "HYBRIDCHAT_TEST_")


class Flag(NamedTuple):
    """A value given on the command line, with the name of the option that it was given to."""

    name: str
    value: object


class Setting(NamedTuple):
    """One row of what is shown to a user who asks for all settings."""

    key: str
    value: object
    source: Source


@dataclass(frozen=True, slots=True)
class Loaded:
    """All settings and where each came from."""

    settings: Settings
    sources: Mapping[str, Source]

    def source(self, key: str) -> Source:
        """Return where the value of dotted ``key`` came from.

        Raises:
            UsageError: There is no such setting.
        """
        return self.sources.get(keys.known(key), DEFAULT)

    def __iter__(self) -> Iterator[Setting]:
        """Go through all settings in their usual order; none of them is a secret."""
        for key in keys.FORMS:
            yield Setting(key, keys.value_of(self.settings, key), self.source(key))


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    user_file: Path | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Load the settings that hold in ``folder`` (the current one).

    ``flags`` maps dotted keys to values, either bare or as a ``Flag`` that names its option; None means not given.
    ``user_file`` is the user's file, which then must exist; by default it is the one that ``HYBRIDCHAT_CONFIG`` names,
    which must exist too, or the system's usual place, which may be empty.

    Raises:
        UsageError: A flag's value is not what its setting expects.
        BadConfiguration: A file is unreadable; it or a variable sets what does not exist, or to something impossible.
    """
    path, named_by = _user_file(environ, user_file)
    document = documents.read(path)
    if document is None and named_by:
        raise BadConfiguration(f"{named_by} names {path}, which is not there", hint="Name a file that exists.")

    file = file_layer(document) if document else {}
    environment = _environment_layer(environ)
    command_line = _flag_layer(flags or {})
    chosen = _laid_over([command_line, environment, file], folders.layers(folder))
    settings = keys.build({key: found.value for key, found in chosen.items()})
    sources = {key: found.source for key, found in chosen.items()}
    if ollama := _ollama_host(settings, environ, sources):
        settings = replace(settings, local=replace(settings.local, url=ollama))
        sources["local.url"] = Source(Origin.ENVIRONMENT, "OLLAMA_HOST")
    return Loaded(replace(settings, user_file=path if document else None), sources)


def user_file_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the user's file is, or would be."""
    named = environ.get(FILE_VARIABLE)
    return paths.expanded(named) if named else paths.config_file()


def _user_file(environ: Mapping[str, str], user_file: Path | None) -> tuple[Path, str]:
    if user_file is not None:
        return user_file, "the command line"
    if named := environ.get(FILE_VARIABLE):
        return paths.expanded(named), FILE_VARIABLE
    return paths.config_file(), ""


def file_layer(document: documents.Document) -> Layer:
    """Return what the user's file sets.

    Raises:
        BadConfiguration: It sets what does not exist, or to something impossible.
    """
    layer: Layer = {}
    source = Source(Origin.FILE, str(document.path))
    for section, table in document.content.items():
        if section not in keys.SECTIONS:
            raise document.unknown(section, list(keys.SECTIONS))
        if not isinstance(table, dict):
            raise BadConfiguration(
                f"{document.place_of(section)}: expected a table [{section}]", hint="Put its settings below that line."
            )
        for name, value in table.items():
            key = f"{section}.{name}"
            if key not in keys.FORMS:
                raise document.unknown(key, list(keys.FORMS))
            layer[key] = documents.checked(keys.FORMS[key], value, source, f"{document.place_of(key)}: {key}")
    return layer


def _environment_layer(environ: Mapping[str, str]) -> Layer:
    known = {keys.variable(key): key for key in keys.FORMS}
    layer: Layer = {}
    for name, text in environ.items():
        if not name.startswith(keys.PREFIX) or name.startswith(_OTHER_VARIABLES) or not text:
            continue
        if name not in known:
            raise BadConfiguration(
                f"the environment sets {name}, and there is no such setting", hint=keys.suggestion(name, list(known))
            )
        try:
            layer[known[name]] = Found(_read(keys.FORMS[known[name]], text), Source(Origin.ENVIRONMENT, name))
        except ValueError as error:
            raise BadConfiguration(
                f"{name}: {documents.misfit(keys.FORMS[known[name]], text, error)}", hint="Correct or unset it."
            ) from error
    return layer


def _flag_layer(flags: Mapping[str, object]) -> Layer:
    layer: Layer = {}
    for key, given in flags.items():
        form = keys.FORMS[keys.known(key)]
        flag = given if isinstance(given, Flag) else Flag("", given)
        if flag.value is None:
            continue
        try:
            value = _read(form, flag.value) if isinstance(flag.value, str) else form.check(flag.value)
        except ValueError as error:
            raise UsageError(
                f"{flag.name or key}: {documents.misfit(form, flag.value, error)}", hint="Give another value."
            ) from error
        layer[key] = Found(value, Source(Origin.FLAG, flag.name))
    return layer


def _read(form: Form, text: str) -> object:
    return form.check(form.read(text))


def _laid_over(user: list[Layer], policies: list[Layer]) -> Layer:
    """Lay the user's layers (the strongest first) over each other, and let the folders tighten them."""
    chosen: Layer = {}
    for layer in reversed(user):
        chosen.update(layer)
    chosen["privacy.data_policy"] = _strictest(_set_in(user, "privacy.data_policy"), policies)
    if words := _set_in([chosen, *policies], "privacy.words"):
        chosen["privacy.words"] = _joined(words)
    own = chosen.get("routing.min_confidence")
    folders_own = _set_in(policies, "routing.min_confidence")
    if folders_own and (own is None or own.source.origin is Origin.FILE):
        candidates = [own, *folders_own] if own else folders_own
        chosen["routing.min_confidence"] = max(candidates, key=lambda found: cast("float", found.value))
    return chosen


def _set_in(layers: list[Layer], key: str) -> list[Found]:
    return [layer[key] for layer in layers if key in layer]


def _strictest(own: list[Found], policies: list[Layer]) -> Found:
    """Return the strictest policy; where the user sets none, the default counts, so that no folder can loosen it."""
    user = own or [Found(Settings().privacy.data_policy, DEFAULT)]
    candidates = [*user, *_set_in(policies, "privacy.data_policy")]
    return max(candidates, key=lambda found: cast("DataPolicy", found.value).strictness)


def _joined(words: list[Found]) -> Found:
    every = dict.fromkeys(word for found in words for word in cast("tuple[str, ...]", found.value))
    where = " and ".join(found.source.where for found in words if found.source.where)
    return Found(tuple(every), Source(words[0].source.origin, where))


def _ollama_host(settings: Settings, environ: Mapping[str, str], sources: Mapping[str, Source]) -> str:
    """Return Ollama's own variable as it stands: it need not be a URL, and its parser is the backend's affair."""
    if "local.url" in sources or settings.local.backend not in {"auto", "ollama"}:
        return ""
    return environ.get("OLLAMA_HOST", "").strip()
