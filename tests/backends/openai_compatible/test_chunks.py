from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends.openai_compatible.chunks import read_chunk
from tests.servers.openai import delta

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "logprobs",
                    "top_logprobs",
                    "logprob",
                    "token",
                    "bytes",
                    "usage",
                    "prompt_tokens",
                    "finish_reason",
                    "model",
                    "reasoning",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(event=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20))
def test_no_event_does_more_than_be_unreadable(event: bytes) -> None:
    with suppress(ValueError):
        read_chunk(event)


@pytest.mark.parametrize("event", [b'{"choices":' * 100_000, b"[" * 100_000], ids=["objects", "lists"])
def test_an_event_that_is_nested_without_end_is_unreadable(event: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_chunk(event)


def test_a_number_beyond_all_floats_is_a_logprob_of_nothing() -> None:
    event = json.dumps(delta("x", logprobs=[{"token": "x", "logprob": -(10**400)}])).encode()

    assert read_chunk(event).pieces[0].logprobs[0].logprob == -9999.0
