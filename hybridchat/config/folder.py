"""The policy of a folder: what ``.hybridchat.toml`` in it, or in a folder above it, may tighten.

A file that comes with somebody's project is not the user's own. So it may set ``data_policy``, ``words`` and
``min_confidence``, and nothing else; of several policies the strictest holds, words add up, and of several minimum
confidences the highest holds. A file that cannot be read or understood stops the program: nothing is sent on a guess.

The search goes from the folder upwards, and ends at the home folder where it starts inside of it, else at the root of
the file system: above the home folder other people's files would come in.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.config.documents import checked, read
from hybridchat.config.keys import FORMS
from hybridchat.config.sources import Layer, Origin, Source
from hybridchat.errors import BadConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = ".hybridchat.toml"
ALLOWED = {
    "data_policy": "privacy.data_policy",
    "words": "privacy.words",
    "min_confidence": "routing.min_confidence",
}
"""What a folder may set, and the setting that it tightens."""


def layers(folder: Path | None = None) -> list[Layer]:
    """Return what the policy files in and above ``folder`` (the current one) set, the nearest first.

    Raises:
        BadConfiguration: A file cannot be read, is no TOML, or sets what a folder may not set.
    """
    try:
        start = (folder or Path.cwd()).resolve()
    except OSError as error:
        raise BadConfiguration(
            "the current folder no longer exists, so its data policy cannot be read", hint="Change to another folder."
        ) from error
    return [_layer(path) for candidate in _upwards(start) if _exists(path := candidate / NAME)]


def _upwards(start: Path) -> Iterator[Path]:
    home = Path(os.path.expanduser("~")).resolve()  # noqa: PTH111 -- Path.home() raises where there is no home
    yield start
    for parent in start.parents:
        if start.is_relative_to(home) and not parent.is_relative_to(home):
            return
        yield parent


def _exists(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path.is_symlink()  # a dangling link is a policy that cannot be read, not the absence of one
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadConfiguration(
            f"cannot look for a data policy at {path}: {reason}", hint="Make the folder readable, or work elsewhere."
        ) from error
    if not stat.S_ISREG(mode):
        raise BadConfiguration(f"{path} is not a regular file", hint="Remove it, or make it a file of text.")
    return True


def _layer(path: Path) -> Layer:
    document = read(path)
    if document is None:
        raise BadConfiguration(f"{path} points to a file that is not there", hint="Remove it or restore the file.")
    source = Source(Origin.FOLDER, str(path))
    layer: Layer = {}
    for name, value in document.content.items():
        if name not in ALLOWED:
            raise BadConfiguration(
                f"{document.place_of(name)}: a folder cannot set {name!r}",
                hint=f"A folder may set {', '.join(ALLOWED)}; everything else belongs into your own configuration.",
            )
        place = f"{document.place_of(name)}: {name}"
        layer[ALLOWED[name]] = checked(FORMS[ALLOWED[name]], value, source, place)
    return layer
