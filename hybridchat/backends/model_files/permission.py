"""What forbids to ask a registry for a model."""

from __future__ import annotations

from hybridchat.errors import Blocked

OFFLINE = "offline mode"
LOCAL_ONLY = "the data policy local-only"


def download_forbidden(by: str, name: str) -> Blocked:
    """Return the error that says what forbids to download the model called ``name``, and what would allow it."""
    command = f"hybridchat models pull {name}"
    return Blocked(
        f"{name} is not on this machine, and {by} forbids downloading it",
        hint=f"Run `{command}` without offline mode."
        if by == OFFLINE
        else f"`{command} --allow-download` asks its registry for it, and sends nothing of yours.",
    )
