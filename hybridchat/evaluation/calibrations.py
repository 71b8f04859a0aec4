"""The calibrations that were made on this machine: one file a model, which only its user may read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hybridchat.backends.private_files import private_folder, read_private, write_private
from hybridchat.errors import BadConfiguration
from hybridchat.routing.policy import LocalModel
from hybridchat.routing.prior import FittedModel, Prior


def template_digest(system: str) -> str | None:
    """Return the digest of what is put before every question, None for nothing."""
    return hashlib.sha256(system.encode()).hexdigest()[:16] if system else None


class Calibrations:
    """The calibrations in ``folder``; ``system`` is the system prompt that is in use now."""

    def __init__(self, folder: Path, system: str = "") -> None:
        self._folder = folder
        self._template = template_digest(system)
        self._found: dict[LocalModel, Prior | None] = {}

    def find(self, model: LocalModel) -> Prior | None:
        """Return the calibration that holds for the model that answers, None where there is none: the prior counts.

        What cannot be read counts as missing: no turn may fail of it.
        """
        if model not in self._found:
            kept = self.of(model.name)
            fits = kept is not None and kept.model is not None and not kept.model.differs(self.live(model))
            self._found[model] = kept if fits else None
        return self._found[model]

    def live(self, model: LocalModel, quantisation: str | None = None) -> FittedModel:
        """Describe the model that answers now."""
        return FittedModel(model.name, model.digest, quantisation, self._template)

    def of(self, name: str) -> Prior | None:
        """Return the calibration of the model of this name, whether or not it still holds; None without one."""
        return _read(self.path(name))

    def all(self) -> Iterator[Prior]:
        """Yield all calibrations that can be read."""
        for path in sorted(self._folder.glob("*.json")):
            if (found := _read(path)) is not None:
                yield found

    def save(self, prior: Prior) -> Path:
        """Keep a calibration in the place of the one before; raises ``CannotWrite`` or ``BadConfiguration``."""
        assert prior.model is not None
        private_folder(self._folder)
        path = self.path(prior.model.name)
        write_private(path, msgspec.json.format(msgspec.json.encode(prior), indent=1) + b"\n")
        self._found.clear()
        return path

    def path(self, name: str) -> Path:
        """Return the file of the model of this name."""
        return self._folder / f"{_slug(name)}.json"

    def work_file(self, model: FittedModel, questions: str) -> Path:
        """Return where the answers of exactly this model to these ``questions`` are gathered."""
        identity = hashlib.sha256(msgspec.json.encode((model, questions))).hexdigest()[:12]
        return self._folder / f"{_slug(model.name)}.{identity}.jsonl"


def _slug(name: str) -> str:
    readable = re.sub(r"[^\w.-]+", "-", Path(name).name)[:40].strip("-.") or "model"
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read(path: Path) -> Prior | None:
    data = read_private(path)
    try:
        found = Prior.parse(data) if data is not None else None
    except BadConfiguration:
        return None
    return found if found is not None and found.model is not None else None
