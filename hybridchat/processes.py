"""What this process and those it starts must not give away."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

KEY_VARIABLES = frozenset(
    {
        "AZURE_OPENAI_API_KEY",
        "GROQ_API_KEY",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "LLAMA_API_KEY",
        "NVIDIA_API_KEY",
        "VLLM_API_KEY",
    }
)
"""Environment variables of other names than ``HYBRIDCHAT_KEY_...`` that a key of ours may stand in."""

_SECRET = re.compile("KEY|TOKEN|SECRET|PASS|CREDENTIAL", re.IGNORECASE)


def without_keys(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a program of the user's: all of it but the keys that we would use ourselves."""
    environ = os.environ if environ is None else environ
    return {
        name: value
        for name, value in environ.items()
        if name not in KEY_VARIABLES and not name.startswith("HYBRIDCHAT_KEY_")
    }


def without_secrets(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a program of ours that needs no secret: nothing whose name sounds like one."""
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if not _SECRET.search(name)}


def forbid_core_dumps() -> None:
    """Keep prompts and keys out of core dumps, of this process and of those that it starts.

    A limit of one byte is the only one that also keeps Linux from piping a dump to a crash reporter (core(5),
    ``fs/coredump.c``); as a file it is too small for any dump.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    least = 1 if sys.platform == "linux" else 0
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != 0:
        resource.setrlimit(resource.RLIMIT_CORE, (least, least))
