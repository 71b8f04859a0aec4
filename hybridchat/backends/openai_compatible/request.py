"""A chat request as OpenAI's protocol writes it (https://platform.openai.com/docs/api-reference/chat/create)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from hybridchat.config.settings import Auth

if TYPE_CHECKING:
    from hybridchat.backends.protocol import ChatRequest
    from hybridchat.config.settings import Endpoint

HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}


def encoded(request: ChatRequest, endpoint: Endpoint, left_out: Collection[str]) -> bytes:
    """Return the request's body, without the fields ``left_out``."""
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    top_logprobs = min(request.top_logprobs, endpoint.max_top_logprobs)
    if top_logprobs > 0 and "logprobs" not in left_out:
        body |= {"logprobs": True, "top_logprobs": top_logprobs}
    sent = {name: value for name, value in body.items() if value is not None and name not in left_out}
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def shown_headers(sent: Mapping[str, str], endpoint: Endpoint) -> dict[str, str]:
    """Return the headers of a request as a person may see them: ``[key]`` stands for the key."""
    key = {Auth.BEARER: {"Authorization": "Bearer [key]"}, Auth.API_KEY: {"Api-Key": "[key]"}}
    return {**{name.title(): value for name, value in sent.items()}, **key.get(endpoint.auth, {})}
