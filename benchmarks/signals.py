"""What reading the signals costs, beside parsing the chunk that a token came in.

``python -m benchmarks.signals [--tokens N] [--rounds N]`` builds chunks as Ollama and OpenAI-compatible servers stream
them, one token and its ten likeliest alternatives each, and times ``json.loads`` of each chunk and all signals of its
token in turns, in one process. It prints microseconds per token and their ratio: median and spread over the rounds.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from hybridchat.messages import TokenLogprob
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Question
from hybridchat.routing.signals import SignalAccumulator

WORDS = (
    "The",
    "capital",
    "of",
    "Australia",
    "is",
    "Canberra",
    ",",
    "which",
    "lies",
    "between",
    "Sydney",
    "and",
    "1913",
)


def tokens(count: int) -> list[TokenLogprob]:
    """Return tokens with plausible logprobs: mostly sure, sometimes not, ten alternatives."""
    rng = random.Random(1)
    made = []
    for index in range(count):
        logits = sorted((rng.gauss(0, 1) - rank * rng.uniform(0.3, 3.0) for rank in range(10)), reverse=True)
        total = math.log(sum(map(math.exp, logits)))
        top = tuple(round(logit - total, 5) for logit in logits)
        made.append(TokenLogprob(f" {rng.choice(WORDS)}{index % 7 or ''}", top[0], top))
    return made


def ollama_chunk(token: TokenLogprob) -> bytes:
    """Return a line of Ollama's chat stream."""
    alternatives = [{"token": token.token, "logprob": v, "bytes": list(token.token.encode())} for v in token.top]
    return json.dumps(
        {
            "model": "phi3.5",
            "created_at": "2026-01-01T00:00:00.000000Z",
            "message": {"role": "assistant", "content": token.token},
            "done": False,
            "logprobs": [{**alternatives[0], "top_logprobs": alternatives}],
        }
    ).encode()


def openai_chunk(token: TokenLogprob) -> bytes:
    """Return the data of one server-sent event of an OpenAI-compatible server."""
    alternatives = [{"token": token.token, "logprob": v, "bytes": list(token.token.encode())} for v in token.top]
    content = [{**alternatives[0], "top_logprobs": alternatives}]
    return json.dumps(
        {
            "id": "chatcmpl-0123456789",
            "object": "chat.completion.chunk",
            "created": 1767225600,
            "model": "phi-3.5-mini-instruct",
            "choices": [
                {"index": 0, "delta": {"content": token.token}, "logprobs": {"content": content}, "finish_reason": None}
            ],
        }
    ).encode()


def timed(call: Callable[[Any], object], items: list[Any]) -> float:
    """Return microseconds an item."""
    start = time.perf_counter()
    for item in items:
        call(item)
    return (time.perf_counter() - start) / len(items) * 1e6


def starred(call: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Call with the arguments spread out."""
    call(*arguments)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    made = tokens(options.tokens)
    chunks = {"Ollama": [*map(ollama_chunk, made)], "OpenAI": [*map(openai_chunk, made)]}
    micros: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name, lines in chunks.items():
            micros.setdefault(f"json.loads, {name}", []).append(timed(json.loads, lines))
        accumulator = SignalAccumulator("What is the capital of Australia?")
        micros.setdefault("logprob signals", []).append(timed(accumulator.add, made))
        observe = GainPolicy().watch(Question("What is the capital of Australia?")).observe
        pieces = [(token.token, (token,)) for token in made]
        micros.setdefault("whole policy", []).append(timed(partial(starred, observe), pieces))
    for name, values in micros.items():
        print(f"{name:>20}: {statistics.median(values):6.2f} us a token (from {min(values):.2f} to {max(values):.2f})")
    for name in ("logprob signals", "whole policy"):
        for server in chunks:
            ratios = [ours / theirs for ours, theirs in zip(micros[name], micros[f"json.loads, {server}"], strict=True)]
            low, median, high = statistics.quantiles(ratios)
            print(f"{name} / json.loads of {server}'s chunk: {median:.2f} (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
