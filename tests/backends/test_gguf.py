from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hybridchat.backends.model_files.gguf import Gguf, read_head
from hybridchat.errors import InputError, InputMissing

UINT32, BOOL, STRING, ARRAY = 4, 7, 8, 9


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def number(key: str, value: int) -> bytes:
    return pair(key, UINT32, struct.pack("<I", value))


def head(*pairs: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


PHI = (
    pair("general.architecture", STRING, text("phi3")),
    pair("phi3.flag", BOOL, b"\1"),
    number("phi3.context_length", 131_072),
    number("phi3.embedding_length", 3072),
    number("phi3.block_count", 32),
    number("phi3.attention.head_count", 32),
    number("phi3.attention.head_count_kv", 32),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_phi_takes_384_kib_of_memory_for_each_token(path: Path) -> None:
    path.write_bytes(head(*PHI))
    assert read_head(path) == Gguf("phi3", 131_072, 384 * 1024)


def test_heads_that_differ_by_layer_are_bounded_by_the_largest(path: Path) -> None:
    per_layer = struct.pack("<IQ", UINT32, 3) + struct.pack("<III", 2, 8, 4)
    sizes = (number("phi3.attention.key_length", 64), number("phi3.attention.value_length", 128))
    path.write_bytes(head(*PHI[:-1], *sizes, pair("phi3.attention.head_count_kv", ARRAY, per_layer)))
    assert read_head(path).cache_bytes_per_token == 32 * 8 * (64 + 128) * 2


def test_the_vocabulary_is_not_read(path: Path) -> None:
    path.write_bytes(head(*PHI, text("tokenizer.ggml.tokens") + b"anything"))
    assert read_head(path).context == 131_072


def test_a_head_that_says_little_leaves_it_open(path: Path) -> None:
    path.write_bytes(head())
    assert read_head(path) == Gguf("", 0, 0)


def test_the_stand_ins_head_can_be_read(smollm2: Path) -> None:
    assert read_head(smollm2) == Gguf("llama", 8192, 30 * 3 * 128 * 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, world",
        b"GGUF",
        head(version=1),
        head(*PHI)[:-2],
        head(pair("a", 99, b"")),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 9) + b"short",
        head(pair("a", STRING, struct.pack("<Q", 1) + b"\xff")),
    ],
)
def test_anything_else_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a readable GGUF file"):
        read_head(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputMissing):
        read_head(tmp_path / "none.gguf")
    with pytest.raises(InputError, match="cannot be read"):
        read_head(tmp_path)
