from __future__ import annotations

import random
from collections.abc import Sequence

from hybridchat.evaluation.traces import Length, LocalTrace, RemoteTrace, TokenRow, Trace
from hybridchat.messages import FinishReason

WORDS = ["The", "answer", "of", "this", "is", "found", "to", "be", "rather", "near", "what", "one", "would", "expect"]


def token_rows(generator: random.Random, count: int, doubt: float) -> tuple[TokenRow, ...]:
    rows: list[TokenRow] = []
    for position in range(count):
        word = " " * bool(position) + generator.choice(WORDS)
        logprob = round(-generator.expovariate(1 / (0.05 + doubt)), 4)
        rows.append((word, logprob, (logprob, logprob - 1.5, logprob - 3)))
    return tuple(rows)


def trace(
    number: int,
    *,
    right: bool | None,
    remote: bool | None = None,
    doubt: float = 0.5,
    tokens: int = 12,
    length: Length = "short",
    logprobs: bool = True,
    cost: float | None = None,
) -> Trace:
    generator = random.Random(number)
    rows = token_rows(generator, tokens, doubt)
    text = "".join(row[0] for row in rows)
    local = LocalTrace("small", text, FinishReason.STOP, 1.0, right, rows if logprobs else (), top_k=3)
    there = None if remote is None else RemoteTrace("large", "So it is.", FinishReason.STOP, 2.0, remote, cost)
    question = f"What is {number} times {number % 7}{' exactly' * (number % 3)}?"
    return Trace(f"made-{number}", question, local, "made", length=length, remote=there)


def traces(n: int = 80, *, seed: int = 1, logprobs: bool = True, cost: float | None = 0.001) -> list[Trace]:
    generator = random.Random(seed)
    made: list[Trace] = []
    for number in range(n):
        right = generator.random() < 0.5
        doubt = generator.choice([0.02, 0.1, 0.6] if right else [0.1, 0.6, 2.5])
        made.append(
            trace(
                number,
                right=right,
                remote=generator.random() < (0.95 if right else 0.7),
                doubt=doubt,
                tokens=generator.choice([3, 9, 20, 50]),
                length="long" if number % 3 == 0 else "short",
                logprobs=logprobs,
                cost=cost,
            )
        )
    return made


def texts(found: Sequence[tuple[str, object]]) -> str:
    return "".join(text for text, _ in found)
