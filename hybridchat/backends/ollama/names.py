"""How Ollama writes the names of models."""

from __future__ import annotations

_LIBRARY = ("registry.ollama.ai/library/", "library/")


def full_name(name: str) -> str:
    """Return ``name`` in the one form in which names compare: with its tag, without the default registry."""
    name = name.strip().casefold()
    for prefix in _LIBRARY:
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def short_name(name: str) -> str:
    """Return ``name`` as people write it: without the tag ``latest``."""
    return name.removesuffix(":latest")


def is_cloud(name: str) -> bool:
    """Say whether a server forwards ``name`` to ollama.com, whatever host it runs on (0.12 and later)."""
    return name.strip().casefold().removesuffix(":latest").endswith((":cloud", "-cloud"))
