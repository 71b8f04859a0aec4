"""Reads the head of a GGUF file: what the model is, and how much memory its context takes.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hybridchat.errors import InputError, InputMissing

_MAX_STRING = 16 * 1024 * 1024
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_CACHE_BYTES = 2  # llama.cpp keeps keys and values as 16-bit floats unless told otherwise

Value = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a file's head says. ``context`` is the length that the model was trained for, in tokens.

    ``cache_bytes_per_token`` is the size of one token's keys and values over all layers; both are 0 where unknown.
    """

    architecture: str
    context: int
    cache_bytes_per_token: int


def read_head(path: Path) -> Gguf:
    """Read ``path``'s head. Raises ``InputMissing``, or ``InputError`` where it is no readable GGUF file."""
    try:
        with path.open("rb") as file:
            return _describe(_metadata(file))
    except FileNotFoundError as error:
        raise InputMissing(f"there is no model file {path}", hint="See `hybridchat models list`.") from error
    except (struct.error, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path} is not a readable GGUF file: {error}", hint="Pull it again, or name another file."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="Look at its permissions.") from error


def _describe(metadata: dict[str, Value]) -> Gguf:
    architecture = str(metadata.get("general.architecture") or "")

    def number(key: str, otherwise: int = 0) -> int:
        value = metadata.get(f"{architecture}.{key}")
        return value if isinstance(value, int) else otherwise

    heads = number("attention.head_count")
    head_size = number("embedding_length") // heads if heads else 0
    keys = number("attention.key_length", head_size)
    values = number("attention.value_length", head_size)
    cached_heads = number("attention.head_count_kv", heads)
    return Gguf(
        architecture,
        context=number("context_length"),
        cache_bytes_per_token=number("block_count") * cached_heads * (keys + values) * _CACHE_BYTES,
    )


def _metadata(file: BinaryIO) -> dict[str, Value]:
    if file.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version, _tensors, pairs = struct.unpack("<IQQ", file.read(20))
    if version not in {2, 3}:
        raise ValueError(f"version {version} is unknown")
    found: dict[str, Value] = {}
    for _ in range(pairs):
        key = _string(file)
        if key.startswith("tokenizer."):
            break  # the vocabulary follows what describes the model, and is large
        found[key] = _value(file, _scalar(file, "<I"))
    return found


def _value(file: BinaryIO, kind: int | float) -> Value:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        element, count = struct.unpack("<IQ", file.read(12))
        # Some models give a list with one entry per layer: its largest entry bounds the memory from above.
        entries = [_value(file, element) for _ in range(count)]
        return max((entry for entry in entries if isinstance(entry, int)), default=None)
    if kind not in _SCALARS:
        raise ValueError(f"value type {kind} is unknown")
    return _scalar(file, _SCALARS[int(kind)])


def _scalar(file: BinaryIO, form: str) -> int | float:
    (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return value  # type: ignore[no-any-return]  # struct cannot say what it unpacks


def _string(file: BinaryIO) -> str:
    length = int(_scalar(file, "<Q"))
    if length > _MAX_STRING:
        raise ValueError("a text in it is impossibly long")
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it is cut off")
    return data.decode("utf-8")
