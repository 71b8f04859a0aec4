"""Where things live on this system; nothing is created here.

Whoever creates one of these folders does so with mode 0700: what is in them is nobody else's affair.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.errors import BadConfiguration

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC

    from hybridchat.config.settings import StoreSettings


def _system() -> PlatformDirsABC:
    from platformdirs import PlatformDirs  # noqa: PLC0415 -- not needed where every place is configured

    return PlatformDirs("hybridchat", appauthor=False)


def named_file(text: str | None) -> str | None:
    """Return the absolute path of a file that the command line names, None where it names none."""
    return None if text is None else str(expanded(text).absolute())


def expanded(text: str) -> Path:
    """Return the path that ``text`` names, where ``~`` is the home folder.

    Raises:
        BadConfiguration: There is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise BadConfiguration(f"no home folder is known for {text!r}", hint="Write the whole path.") from error


def config_file() -> Path:
    """Return the file of the user's settings, unless another one is named."""
    return _system().user_config_path / "config.toml"


def data_folder(store: StoreSettings) -> Path:
    """Return where conversations are kept: ``store.path``, or the system's place for a user's data."""
    return expanded(store.path) if store.path else _system().user_data_path


def database_file(store: StoreSettings) -> Path:
    """Return the database in the data folder."""
    return data_folder(store) / "hybridchat.db"


def models_folder(store: StoreSettings) -> Path:
    """Return where downloaded models are kept: ``store.models``, or a folder in the system's place."""
    return expanded(store.models) if store.models else _system().user_data_path / "models"


def calibrations_folder(store: StoreSettings) -> Path:
    """Return where calibrations of local models are kept, in the data folder."""
    return data_folder(store) / "calibrations"


def runtime_folder() -> Path:
    """Return the place for what lives only while a process of ours runs: the embedded server's address and key.

    Where the session has no such folder (a bare login without ``XDG_RUNTIME_DIR``), it is one below the user's home: a
    place in ``/tmp`` could be taken by somebody else first.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told once in a process: no sign to go by
        try:
            folder = _system().user_runtime_path
        except OSError:  # somebody has taken the place in /tmp
            return _system().user_state_path / "run"
    in_tmp = sys.platform != "win32" and folder.parent.name == f"runtime-{os.geteuid()}"
    return _system().user_state_path / "run" if in_tmp else folder


def cache_folder() -> Path:
    """Return the place for what can be made again at any time."""
    return _system().user_cache_path


def state_folder() -> Path:
    """Return the place for what the program notes between two runs."""
    return _system().user_state_path


def own_folders() -> frozenset[Path]:
    """Return the folders that the system gives to this program alone."""
    system = _system()
    return frozenset(
        {
            system.user_data_path,
            system.user_config_path,
            system.user_cache_path,
            system.user_state_path,
            runtime_folder(),
        }
    )
