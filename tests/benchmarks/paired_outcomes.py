"""A small folder of paired outcomes: sums that a careless model gets wrong, in a way that its text shows."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def record(number: int, generator: random.Random, task: str) -> Record:
    """Make an item. The sloppier the local model, the longer it rambles; the second model errs on its own."""
    a, b, c = (generator.randint(3, 60) for _ in range(3))
    gold = a * b + c
    hard = generator.random()
    local_right, second_right = generator.random() > hard * 0.8, generator.random() > hard * 0.6
    remote_right = generator.random() > hard * 0.25
    return {
        "id": f"{task}/{number}",
        "task": task,
        "question": f"Each of {a} boxes holds {b} pens, and {c} lie on the table. How many pens are there?",
        "gold": str(gold),
        "local": output("small", a, b, c, right=local_right, ramble=int(hard * 6)),
        "second": output("second", a, b, c, right=second_right, ramble=int(hard * 4)),
        "remote": output("large", a, b, c, right=remote_right, ramble=0),
    }


def output(model: str, a: int, b: int, c: int, *, right: bool, ramble: int) -> Record:
    """Write a solution."""
    product = a * b if right else a * b + a
    steps = "However, let us look at the boxes again. " * ramble
    text = (
        f'{{"reasoning": "{steps}{a} * {b} = {product}. {product} + {c} = {product + c}.", "answer": "{product + c}"}}'
    )
    return {"model": model, "text": text, "answer": float(product + c), "correct": right}


def records(task: str = "sums", n: int = 90, seed: int = 0) -> list[Record]:
    """Make a task."""
    generator = random.Random(seed)
    return [record(number, generator, task) for number in range(n)]


def stripped(rows: list[Record]) -> list[Record]:
    """Take away all that a router may not see."""
    return [
        {
            **{name: row[name] for name in ("id", "task", "question")},
            **{
                who: row[who] and {name: value for name, value in row[who].items() if name != "correct"}
                for who in ("local", "second")
            },
        }
        for row in rows
    ]


def write(folder: Path, name: str, rows: list[Record]) -> Path:
    """Write a file of the folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder
