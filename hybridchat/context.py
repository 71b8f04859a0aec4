"""Fits a conversation into a context window, and says when it cannot.

Servers drop the oldest messages silently; we do it ourselves, whole turns at a time, so that it can be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hybridchat.messages import ChatMessage, Message, Role

_ASCII = re.compile(r"[\x00-\x7f]+")
_Spoken = TypeVar("_Spoken", ChatMessage, Message)
_MESSAGE_OVERHEAD = 6  # role markers and separators of common chat templates, in tokens


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text has, from above, without a tokenizer.

    Byte-pair vocabularies of 32k to 128k entries take 3 to 5 ASCII characters a token in prose and 2.5 to 3.5 in code,
    and about one token a character in scripts that they know badly.
    """
    ascii_length = sum(len(run) for run in _ASCII.findall(text))
    return int(ascii_length / 3 + (len(text) - ascii_length) * 1.2) + 1


def estimate_prompt(messages: Iterable[ChatMessage]) -> int:
    """Estimate the tokens of a whole prompt, chat template included."""
    return sum(estimate_tokens(message.content) + _MESSAGE_OVERHEAD for message in messages)


class PromptMeter:
    """Learns from a server's own counts how far the estimate is off for its model.

    ``estimate_tokens`` is cautious; on English prose it is a third too high, which would leave out turns that fit.
    """

    def __init__(self) -> None:
        self.ratio = 1.0

    def learn(self, messages: Sequence[ChatMessage], counted: int | None) -> None:
        """Take in the prompt tokens that the server counted for ``messages``."""
        estimated = estimate_prompt(messages)
        if counted and estimated >= 64:  # short prompts are mostly template
            observed = min(max(counted / estimated, 0.5), 4.0)
            # A prompt that was longer than thought is believed at once, a shorter one slowly.
            self.ratio = observed if observed > self.ratio else 0.7 * self.ratio + 0.3 * observed

    def __call__(self, messages: Iterable[ChatMessage]) -> int:
        """Estimate the tokens of a prompt for this model."""
        return int(estimate_prompt(messages) * self.ratio) + 1


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """What is left of a conversation, and what was left out of it.

    ``fits`` is false when even the last message alone, with the system prompt, is longer than the window.
    """

    messages: tuple[ChatMessage, ...]
    turns_left_out: int
    messages_left_out: int
    fits: bool

    @property
    def can_shrink(self) -> bool:
        """Whether an older turn is left that could still be left out."""
        return sum(message.role is Role.USER for message in self.messages) > 1


def fit(
    messages: Sequence[ChatMessage],
    window: int | None,
    reserve: int,
    *,
    estimate: Callable[[Iterable[ChatMessage]], int] = estimate_prompt,
    leave_out: int = 0,
) -> FittedPrompt:
    """Leave out the oldest turns until the prompt and ``reserve`` tokens of answer fit into ``window`` tokens.

    System messages and the last user message always stay. ``leave_out`` is a number of turns to leave out in any case
    (the server has said that the prompt is too long); ``window`` None means unknown: nothing else is left out then.
    """
    system = [m for m in messages if m.role is Role.SYSTEM]
    turns = in_turns([m for m in messages if m.role is not Role.SYSTEM])
    room = None if window is None else window - min(reserve, window // 2)
    first = min(leave_out, len(turns) - 1) if turns else 0
    while True:
        kept = system + [m for turn in turns[first:] for m in turn]
        fits = room is None or estimate(kept) <= room
        if fits or first >= len(turns) - 1:
            break
        first += 1
    return FittedPrompt(tuple(kept), first, sum(len(turn) for turn in turns[:first]), fits)


def in_turns(messages: Iterable[_Spoken]) -> list[list[_Spoken]]:
    """Return ``messages`` turn by turn: each begins with a user message, but perhaps for the first."""
    turns: list[list[_Spoken]] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns
