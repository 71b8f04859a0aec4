"""One backend for every server that speaks the OpenAI chat protocol; ``presets`` tells them apart."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hybridchat.backends.openai_compatible.chunks import Chunk, read_chunk
from hybridchat.backends.openai_compatible.errors import Complaint, read_complaint, refusal
from hybridchat.backends.openai_compatible.models import ServedModel, alternatives, read_models
from hybridchat.backends.openai_compatible.request import HEADERS, encoded, shown_headers
from hybridchat.backends.openai_compatible.retry import Patience, Pause
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.backends.transport.ahead import TransportAhead
from hybridchat.backends.transport.http import Phase, StreamedAnswer, new_client, open_stream, translated
from hybridchat.backends.transport.json import read_json
from hybridchat.backends.transport.key import KeyHeader
from hybridchat.errors import (
    ContextOverflow,
    HybridChatError,
    ModelMissing,
    ProtocolError,
    StreamBroken,
    StreamIncomplete,
    TimedOut,
)
from hybridchat.messages import FinishReason, Place, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    import httpx

    from hybridchat.backends.transport.ahead import OpenedAhead
    from hybridchat.config.settings import Endpoint

ANSWER_TIMEOUT = 10.0
"""Seconds for a short question that no model is needed for."""

_DISPENSABLE = ("logprobs", "stream_options", "seed")
"""Fields that an answer can do without: a server that refuses one by name is asked again without it."""


class _Refused(Exception):
    """The server said no: an error, unless it is asked again."""

    def __init__(self, complaint: Complaint, error: HybridChatError) -> None:
        super().__init__()
        self.complaint = complaint
        self.error = error


class OpenAICompatibleBackend:
    """Answers by ``POST {url}/chat/completions``; see ``Backend`` for what a stream is made of.

    The key goes to the endpoint's own host only. A field that the server refuses by name (logprobs, on some) is left
    out from then on. ``ahead`` may hold a connection that was opened before. Before the first token, and only then, one
    failure that is likely to pass is retried.
    """

    def __init__(self, endpoint: Endpoint, key: str | None = None, ahead: OpenedAhead | None = None) -> None:
        self._endpoint = endpoint
        self._ahead = ahead
        self._key = KeyHeader(endpoint, key) if key else None
        self._left_out: set[str] = set()
        self._window: int | None = None
        self._window_is_asked_for = endpoint.place is Place.LOCAL

    @property
    def endpoint(self) -> Endpoint:
        """The configuration that this backend was built from."""
        return self._endpoint

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact request body that ``stream`` would send."""
        return encoded(request, self._endpoint, self._left_out)

    def request_line(self) -> str:
        """Return the method and the whole address of ``stream``'s request."""
        return f"POST {self._endpoint.url}/chat/completions"

    def headers(self, request: ChatRequest) -> dict[str, str]:
        """Return the headers of ``stream``'s request; ``[key]`` stands for the key. Nothing is connected to."""
        return shown_headers(self._call(request).headers, self._endpoint)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer ``request``; a web page, a redirect or an unreadable event is a ``ProtocolError``."""
        patience = Patience(self._endpoint)
        accepted = begun = False
        while True:
            failure: HybridChatError
            complaint = None
            try:
                async with aclosing(self._attempt(request)) as parts:
                    async for part in parts:
                        begun = begun or isinstance(part, Piece)
                        if not (accepted and isinstance(part, Accepted)):
                            yield part
                        accepted = True
            except _Refused as refused:
                failure, complaint = refused.error, refused.complaint
            except StreamBroken as broken:
                failure = broken
            else:
                return
            if begun:
                raise failure
            pause = self._before_asking_again(patience, failure, complaint)
            if pause.reason:
                if not accepted:
                    yield Accepted(self._endpoint.model)
                    accepted = True
                yield Waiting(pause.reason)
            await asyncio.sleep(pause.seconds)

    async def served_models(self) -> tuple[ServedModel, ...]:
        """Ask the server what it serves (``GET {url}/models``); raises what ``stream`` raises."""
        data = await self._ask(f"{self._endpoint.url}/models")
        try:
            return read_models(data)
        except ValueError as error:
            raise self._unreadable() from error

    async def context_window(self) -> int | None:
        """Ask the server how many tokens fit into the model's context; None where it does not say.

        llama.cpp tells it per slot in ``GET /props``, beside the API; others in their list of models.
        """
        try:
            data = await self._ask(f"{self._endpoint.url.removesuffix('/v1')}/props")
            window = data["default_generation_settings"]["n_ctx"]
        except (HybridChatError, KeyError, TypeError):
            window = None
        if isinstance(window, int):
            return window
        try:
            served = await self.served_models()
        except HybridChatError:
            return None
        return next((m.context_length for m in served if m.id == self._endpoint.model or len(served) == 1), None)

    async def aclose(self) -> None:
        """Close all connections."""
        if "_client" in self.__dict__:
            await self._client.aclose()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        # Not built before it is needed: a client for HTTPS costs as much as a short local answer's first token.
        transport = TransportAhead(self._ahead) if self._ahead is not None and self._ahead.is_useful else None
        client = new_client(self._endpoint, transport=transport)
        if self._key is not None:
            client.auth = self._key
        return client

    def _call(self, request: ChatRequest) -> httpx.Request:
        return self._client.build_request(
            "POST",
            f"{self._endpoint.url}/chat/completions",
            content=self.body(request),
            headers=HEADERS,
        )

    async def _attempt(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        call = self._call(request)
        hint = f"Check that the server runs and that {self._endpoint.url} is its address."
        async with open_stream(self._client, call, self._endpoint, hint) as answer:
            kind = answer.response.headers.get("content-type", "")
            if answer.response.status_code != 200 or kind.startswith("text/html"):
                refused = await self._refused(answer)
                if isinstance(refused.error, ContextOverflow) and self._window_is_asked_for:
                    yield await self._accepted()  # so that the prompt can be fitted at once, and not turn by turn
                raise refused
            yield await self._accepted()
            streamed = not kind.startswith("application/json")
            events = answer.events() if streamed else _one_event(answer)
            async with aclosing(self._read(answer, events)) as parts:
                async for part in parts:
                    yield part

    async def _accepted(self) -> Accepted:
        if self._window_is_asked_for:
            self._window_is_asked_for = False
            self._window = await self.context_window()
        return Accepted(self._endpoint.model, window=self._window)

    async def _read(self, answer: StreamedAnswer, events: AsyncGenerator[bytes]) -> AsyncGenerator[StreamPart, None]:
        finish_reason: FinishReason | None = None
        usage, model = Usage(), None
        try:
            async with aclosing(events):
                async for event in events:
                    if event.strip() == b"[DONE]":
                        break
                    chunk = self._chunk(event)
                    for piece in chunk.pieces:
                        answer.first_token_came()
                        yield piece
                    finish_reason = chunk.finish_reason or finish_reason
                    usage, model = chunk.usage or usage, chunk.model or model
        except (StreamBroken, TimedOut):
            if finish_reason is None:
                raise
            # The answer is whole: what is missing can only be the count of its tokens.
        if finish_reason is None:
            raise StreamIncomplete(
                f"{self._endpoint.name} ended its answer without saying that it was done",
                endpoint=self._endpoint.name,
                hint="The answer may be cut off: ask again.",
            )
        yield Ended(finish_reason, usage, model=model)

    def _chunk(self, event: bytes) -> Chunk:
        try:
            chunk = read_chunk(event)
        except ValueError as error:
            name = self._endpoint.name
            raise StreamBroken(
                f"{name} sent an event that cannot be read", endpoint=name, hint="Ask again, or see the server's log."
            ) from error
        if chunk.is_error:
            raise self._refusal(read_complaint(0, self._without_key(event)), {})
        return chunk

    async def _refused(self, answer: StreamedAnswer) -> _Refused:
        try:
            body = await answer.body()
        except (StreamBroken, TimedOut):
            body = b""  # the status alone says enough
        response = answer.response
        refused = self._refusal(read_complaint(response.status_code, self._without_key(body)), response.headers)
        if isinstance(refused.error, ModelMissing):
            await self._offer_others(refused.error)
        return refused

    def _refusal(self, complaint: Complaint, headers: Mapping[str, str]) -> _Refused:
        return _Refused(complaint, refusal(complaint, headers, self._endpoint, with_key=self._key is not None))

    async def _offer_others(self, error: ModelMissing) -> None:
        try:
            served = [model.id for model in await self.served_models()]
        except HybridChatError:
            served = []
        error.alternatives = alternatives(self._endpoint.model, self._endpoint.fallbacks, served)
        if error.alternatives:
            error.hint = f"Choose another model, such as {error.alternatives[0]}."

    def _before_asking_again(self, patience: Patience, failure: HybridChatError, complaint: Complaint | None) -> Pause:
        """Return the pause before the next attempt; raise ``failure`` where another would be no use."""
        if complaint is not None and self._leaves_out(complaint):
            return Pause(0)
        return patience.pause(failure, complaint)

    def _leaves_out(self, complaint: Complaint) -> bool:
        """Leave out a field that the server refuses by name; tell whether there is such a field."""
        if complaint.status not in {0, 400, 422}:
            return False
        for field in _DISPENSABLE:
            if field not in self._left_out and complaint.says(rf"\b(top_)?{field}\b"):
                self._left_out.add(field)
                return True
        return False

    async def _ask(self, url: str) -> Any:
        """Return the JSON that a short question is answered with."""
        clock = asyncio.get_running_loop().time
        with translated(self._endpoint, Phase.ANSWER):
            async with asyncio.timeout(ANSWER_TIMEOUT), self._client.stream("GET", url) as response:
                # The limit here is the one above: the reader's own, which speaks of tokens, is out of reach.
                body = await StreamedAnswer(response, self._endpoint, clock() + 2 * ANSWER_TIMEOUT).body()
        if response.status_code != 200:
            complaint = read_complaint(response.status_code, self._without_key(body))
            raise self._refusal(complaint, response.headers).error
        try:
            return read_json(body)
        except ValueError as error:
            raise self._unreadable() from error

    def _without_key(self, text: bytes) -> bytes:
        return text if self._key is None else self._key.hidden_in(text)

    def _unreadable(self) -> ProtocolError:
        return ProtocolError(
            f"{self._endpoint.name} gave an answer that cannot be read",
            endpoint=self._endpoint.name,
            hint=f"Is {self._endpoint.url} the address of an OpenAI-compatible API? Most end in /v1.",
        )


async def _one_event(answer: StreamedAnswer) -> AsyncGenerator[bytes]:
    """Give the body of a server that does not stream as one event."""
    yield await answer.body()
