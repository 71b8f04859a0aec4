"""Have a local model answer the questions and keep every token's logprobs.

``python -m benchmarks.traces --model local.gguf --out FILE [--limit N] [--max-tokens 96] [--no-logprobs]`` appends one
JSON object a line and goes on where it stopped: ``id``, ``family``, ``level``, ``question``, ``text``, ``finish``,
``correct``, ``seconds``, ``tokens`` as ``[token, logprob, [top-10 logprobs]]``. Run it a second time with a larger
model, another file and ``--no-logprobs`` to learn which questions that one gets right.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.grading import Item, grade
from benchmarks.questions import questions

Trace = dict[str, Any]


def answer_all(model: Path, out: Path, limit: int | None, max_tokens: int, top: int) -> None:
    """Answer what ``out`` does not hold yet; meant to be the whole life of a child process."""
    import xllamacpp  # noqa: PLC0415 - the parent must not load the native library

    os.nice(10)
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = 1024
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = xllamacpp.Server(params)
    done = finished(out)
    with out.open("a", encoding="utf-8") as file:
        for item in questions()[:limit]:
            if item.id not in done:
                file.write(json.dumps(_answer(server, item, max_tokens, top), ensure_ascii=False) + "\n")
                file.flush()


def finished(path: Path) -> set[str]:
    """Return the ids that a trace file holds; a last line cut short by a crash is cut off."""
    if not path.exists():
        return set()
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return {json.loads(line)["id"] for line in whole.splitlines()}


def _answer(server: Any, item: Item, max_tokens: int, top: int) -> Trace:
    request: Trace = {
        "messages": [{"role": "user", "content": item.text}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "cache_prompt": True,
    }
    if top:
        request |= {"logprobs": True, "top_logprobs": top}
    start = time.perf_counter()
    reply = server.handle_chat_completions(request)
    seconds = time.perf_counter() - start
    choice = reply["choices"][0]
    text = choice["message"]["content"] or ""
    tokens = [
        [
            entry["token"],
            round(entry["logprob"], 4),
            [round(other["logprob"], 3) for other in entry["top_logprobs"]],
        ]
        for entry in (choice.get("logprobs") or {}).get("content", ())
    ]
    return {
        "id": item.id,
        "family": item.family,
        "level": item.level,
        "question": item.text,
        "text": text,
        "finish": choice["finish_reason"],
        "correct": grade(item, text),
        "seconds": round(seconds, 2),
        "tokens": tokens,
    }


def main() -> None:
    """Run the model in a child process: a native crash cannot take the file along."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--no-logprobs", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    child = multiprocessing.get_context("spawn").Process(
        target=answer_all,
        daemon=True,
        args=(options.model, options.out, options.limit, options.max_tokens, 0 if options.no_logprobs else 10),
    )
    child.start()
    with contextlib.suppress(KeyboardInterrupt):
        child.join()
    raise SystemExit(child.exitcode or 0)


if __name__ == "__main__":
    main()
