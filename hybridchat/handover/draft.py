"""The local model's own answer, sent along with the question; ``python -m benchmarks.draft`` measures what it does."""

from __future__ import annotations

from hybridchat.privacy.fence import fenced

LABEL = "a smaller model's draft of the answer, which may be wrong"


def with_draft(question: str, draft: str) -> str:
    """Return the question with the local model's answer below it, as data."""
    return f"{question}\n\n{fenced(draft, LABEL)}"
