"""What the store takes in and gives back, besides conversations and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hybridchat.config.settings import Price
from hybridchat.messages import Conversation, Message


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a search text was found.

    ``message`` is None where the conversation's title matched. ``marks`` are the (start, end) offsets of the matching
    words in ``snippet``. Smaller ``rank`` is better (BM25, as FTS5 gives it); ranks of titles, of messages and of
    messages that were set aside compare only among their own kind.
    """

    conversation: Conversation
    message: Message | None
    snippet: str
    marks: tuple[tuple[int, int], ...]
    rank: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What is about to leave the machine.

    ``payload`` is the exact request body: the ledger keeps its size and its hash, not the body. ``placeholders``
    counts redactions by kind.
    """

    conversation_id: str
    message_id: str
    reason: str
    endpoint: str
    url: str
    model: str
    payload: bytes
    placeholders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a ``Sent``.

    ``status`` is one word (``complete``, ``cancelled``, or an error's code); ``cost`` is US dollars, None where no
    price is known.
    """

    status: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One ``Sent`` as it stands in the ledger, with its outcome, None while there is none.

    ``bytes`` is the payload's size. ``payload_hash`` reads ``ALGORITHM:HEX``; the algorithm is ``sha256``, or
    ``hmac-sha256/KEY`` where KEY tells chain keys apart. ``chained_with`` is the algorithm of the row's own MAC.
    """

    number: int
    time: datetime
    conversation_id: str
    message_id: str
    reason: str
    endpoint: str
    url: str
    model: str
    bytes: int
    payload_hash: str
    placeholders: Mapping[str, int]
    chained_with: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class KeptLocal:
    """What never left the machine: answers of the local model alone, and what went in and out of it for them.

    Tokens are as the local model counted them, where it did; ``bytes`` is the size of the questions and answers. What
    was deleted is not counted.
    """

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    bytes: int = 0

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.prompt_tokens + self.completion_tokens

    def saved(self, price: Price | None) -> float | None:
        """Return what it would have cost at ``price``, in US dollars; None where that is not known."""
        return None if price is None else self.worth(price.input, price.output)

    def worth(self, price_input: float, price_output: float) -> float:
        """Return what it would have cost, in US dollars, at prices per million tokens."""
        return (self.prompt_tokens * price_input + self.completion_tokens * price_output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the ledger's chain found.

    ``keyed`` of all ``rows`` are chained with a key; anyone who can write the file could have written the others.
    ``unverifiable`` rows are chained with a key that is not at hand. ``broken_at`` is the number of the first row
    that does not fit, and ``problem`` says why. ``head_is_kept`` says that a head was kept elsewhere, so that a cut-off
    end shows. ``notes`` tell of events in the chain: it was begun anew, or its oldest rows were dropped.
    """

    rows: int
    keyed: int
    unverifiable: int = 0
    broken_at: int | None = None
    problem: str = ""
    head_is_kept: bool = False
    notes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether every row could be checked and fits."""
        return self.broken_at is None and self.unverifiable == 0
