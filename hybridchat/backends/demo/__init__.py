"""A demonstration without any model: two recorded answers to one question.

The answers are those of Qwen2.5-Coder 0.5B (as the local model) and 1.5B (as the remote one), recorded with
``benchmarks/record_demo.py``. Nothing is sent anywhere.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from hybridchat.backends.recording import load
from hybridchat.backends.scripted import ScriptedBackend
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.messages import Place

QUESTION = "Who wrote The Tin Drum? Name the author, then say in two sentences what it is about."


def local() -> ScriptedBackend:
    """Return the small model's recorded answer, as a backend."""
    return _play("local", Place.LOCAL)


def remote() -> ScriptedBackend:
    """Return the large model's recorded answer, as a backend."""
    return _play("remote", Place.REMOTE)


def _play(name: str, place: Place) -> ScriptedBackend:
    with as_file(files(__package__) / f"{name}.jsonl") as path:
        steps = load(path)
    endpoint = Endpoint(f"recorded {name}", Kind.OPENAI, "", "a recording", place)
    return ScriptedBackend(endpoint, steps)
