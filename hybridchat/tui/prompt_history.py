"""Earlier prompts, to be gone through with the arrow keys. Pure."""

from __future__ import annotations

from collections.abc import Iterable


class PromptHistory:
    """Prompts from the oldest to the newest, and a place in between. What was being written is the newest of all."""

    def __init__(self, prompts: Iterable[str] = ()) -> None:
        self._prompts: list[str] = []
        self._place = 0
        self._unsent = ""
        self.prefer(prompts)

    def add(self, prompt: str) -> None:
        """Remember a prompt that was sent, and stand behind it."""
        if prompt.strip() and prompt not in self._prompts[-1:]:
            self._prompts.append(prompt)
        self._place = len(self._prompts)
        self._unsent = ""

    def prefer(self, prompts: Iterable[str]) -> None:
        """Let ``prompts`` be the newest, as their conversation is opened; those of others stay before them."""
        newest = dict.fromkeys(reversed([prompt for prompt in prompts if prompt.strip()]))
        self._prompts = [prompt for prompt in self._prompts if prompt not in newest] + list(reversed(newest))
        self._place = len(self._prompts)
        self._unsent = ""

    def earlier(self, current: str) -> str | None:
        """Return the prompt before, None where there is none; ``current`` is what is being written."""
        if self._place == 0:
            return None
        if self._place == len(self._prompts):
            self._unsent = current
        self._place -= 1
        return self._prompts[self._place]

    def later(self) -> str | None:
        """Return the prompt after, or at last what was being written; None where that is what is shown."""
        if self._place == len(self._prompts):
            return None
        self._place += 1
        return self._unsent if self._place == len(self._prompts) else self._prompts[self._place]
