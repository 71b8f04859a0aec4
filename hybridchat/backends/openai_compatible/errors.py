"""Turns the refusals of OpenAI-compatible servers into our errors.

Servers agree on the status codes, roughly, and on nothing else: the body is an object with ``error`` as a string or
an object (OpenAI, TGI, llama.cpp), an RFC 7807 problem (NVIDIA), ``detail`` (FastAPI), plain text, or a web page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.backends.transport.http import place_of
from hybridchat.backends.transport.json import read_json
from hybridchat.backends.transport.server_text import prompt_tokens, retry_after, server_text
from hybridchat.errors import (
    ContextOverflow,
    HybridChatError,
    KeyMissing,
    KeyRefused,
    ModelMissing,
    NoCredits,
    ProtocolError,
    RequestRejected,
    ServerFailed,
    TryLater,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridchat.config.settings import Endpoint

_OVERFLOW = (
    r"context.?(length|size|window)|maximum context|exceed_context|prompt is too long|too many tokens"
    r"|inputs?`? (must have less than|tokens \+)"
)
_NO_SUCH_MODEL = (
    r"model_not_(supported|found)|model.{0,200}(does not exist|not found|not supported by|not exist|end of life)"
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server says about a request that it did not serve.

    ``status`` is the HTTP status, 0 where the stream had begun; ``kind`` holds its codes and types, if any.
    """

    status: int
    text: str = ""
    kind: str = ""

    def says(self, pattern: str) -> bool:
        """Tell whether ``pattern`` occurs in text, code or type, in any case."""
        return re.search(pattern, f"{self.kind}\n{self.text}", re.IGNORECASE) is not None

    @property
    def is_loading(self) -> bool:
        """The model is on its way: llama.cpp and dedicated endpoints say so with a 503."""
        return self.status == 503 and self.says(r"model.*\bloading\b|\bloading\b.*model")

    @property
    def ending(self) -> str:
        """The text as the end of a sentence of ours."""
        return f": {self.text}" if self.text else ""


def read_complaint(status: int, body: bytes) -> Complaint:
    """Read the body of an error; without an HTTP ``status`` (0), a status in the body counts, if there is one."""
    try:
        data = read_json(body)
    except ValueError:
        data = None
    while isinstance(data, dict) and isinstance(data.get("error"), dict):
        data = data["error"]
    if not isinstance(data, dict):
        return Complaint(status, server_text(body))
    code = data.get("code")
    if not status and isinstance(code, int) and 400 <= code < 600:
        status = code
    kind = " ".join(str(data[name]) for name in ("code", "type", "error_type", "param") if data.get(name))
    return Complaint(status, server_text(body), kind)


def refusal(complaint: Complaint, headers: Mapping[str, str], endpoint: Endpoint, *, with_key: bool) -> HybridChatError:
    """Return the error for a server's complaint; ``with_key`` tells whether a key was sent."""
    name, status = endpoint.name, complaint.status
    if 0 < status < 400:
        return _no_stream(complaint, headers, endpoint)
    about_the_request = _about_the_request(complaint, endpoint)
    if about_the_request is not None:
        return about_the_request
    if status in {401, 402, 403} or complaint.says("insufficient_quota"):
        return _about_the_key(complaint, headers, endpoint, with_key=with_key)
    if status in {408, 429, 503} or (status == 0 and complaint.says("overloaded|rate.?limit")):
        wait = _waiting_time(headers)
        return TryLater(
            f"{name} has no room for the request now{complaint.ending}",
            endpoint=name,
            hint="Ask again later." if wait is None else f"Ask again in {wait:.0f} s.",
            retry_after=wait,
        )
    if status >= 500 or status in {0, 424}:
        moment = f"(HTTP {status})" if status else "while it answered"
        return ServerFailed(
            f"{name} failed {moment}{complaint.ending}", endpoint=name, hint="Ask again, or see the server's own log."
        )
    return RequestRejected(
        f"{name} rejected the request (HTTP {status}){complaint.ending}",
        endpoint=name,
        hint="Check the model's name and the answer settings.",
    )


def _about_the_request(complaint: Complaint, endpoint: Endpoint) -> HybridChatError | None:
    status = complaint.status
    if status in {0, 400, 413, 422, 500} and complaint.says(_OVERFLOW):
        return ContextOverflow(
            f"the prompt does not fit into the context window of {endpoint.model}{complaint.ending}",
            endpoint=endpoint.name,
            hint="Begin a new conversation, or shorten the prompt.",
            prompt_tokens=prompt_tokens(complaint.text),
        )
    if status in {404, 410} or (status in {400, 403, 422} and complaint.says(_NO_SUCH_MODEL)):
        return ModelMissing(
            f"{endpoint.name} does not serve {endpoint.model}{complaint.ending}",
            endpoint=endpoint.name,
            hint=f"Choose another model, or check the address {endpoint.url}.",
        )
    return None


def _waiting_time(headers: Mapping[str, str]) -> float | None:
    """Return seconds: ``Retry-After`` (RFC 9110), else ``t`` of ``RateLimit`` (the hub's), None without either."""
    seconds = retry_after(headers.get("retry-after"))
    limit = re.search(r";\s*t=(\d{1,9})", headers.get("ratelimit", ""))
    return float(limit[1]) if seconds is None and limit else seconds


def _about_the_key(
    complaint: Complaint, headers: Mapping[str, str], endpoint: Endpoint, *, with_key: bool
) -> HybridChatError:
    name = endpoint.name
    store_it = f"Store one with `hybridchat keys set {endpoint.key_name or name}`."
    store_another = f"{store_it} A key in the environment goes before it: `hybridchat keys list` shows which is used."
    if complaint.status == 402 or complaint.says("insufficient_quota"):
        return NoCredits(
            f"the account behind the key of {name} has no credits{complaint.ending}",
            hint="Buy credits, or stay with the local model.",
        )
    if not with_key:
        return KeyMissing(f"{name} asks for a key and none was sent{complaint.ending}", hint=store_it)
    if complaint.status == 401:
        return KeyRefused(f"{name} does not accept the key{complaint.ending}", hint=store_another)
    if headers.get("x-error-code", "").lower() == "gatedrepo" or complaint.says("gated"):
        return KeyRefused(
            f"{endpoint.model} is gated{complaint.ending}",
            hint=f"Accept its licence at https://huggingface.co/{endpoint.model} with the account of the key.",
        )
    permission = "Give it the permission `Make calls to Inference Providers`, or another key: "
    return KeyRefused(
        f"{name} does not permit this with the key{complaint.ending}",
        hint=(permission if "huggingface" in name else "") + store_another,
    )


def _no_stream(complaint: Complaint, headers: Mapping[str, str], endpoint: Endpoint) -> ProtocolError:
    if complaint.status >= 300:
        target = place_of(headers.get("location", ""))
        where = f" to {target}" if target.startswith("http") else ""
        return ProtocolError(
            f"{endpoint.name} redirects{where} (HTTP {complaint.status}), and a redirect is not followed",
            endpoint=endpoint.name,
            hint="Configure the address that it leads to, if you trust it.",
        )
    return ProtocolError(
        f"{endpoint.name} did not answer with a stream (HTTP {complaint.status})",
        endpoint=endpoint.name,
        hint=f"Is {endpoint.url} the address of an OpenAI-compatible API? Most end in /v1.",
    )
