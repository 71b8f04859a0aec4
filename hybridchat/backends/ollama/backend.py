"""Ollama's native chat API, streamed: with logprobs, without silent truncation, and never on to the cloud."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import msgspec

from hybridchat.backends.ollama import wire
from hybridchat.backends.ollama.checks import check
from hybridchat.backends.ollama.errors import START_HINT, failure, refusal, runs_elsewhere
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.backends.transport.http import StreamedAnswer, new_client, open_stream
from hybridchat.backends.transport.key import KeyHeader
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BadConfiguration, InputError, StreamBroken, StreamIncomplete
from hybridchat.messages import FinishReason, Place, TokenLogprob, Usage

_DURATION = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*")


class OllamaBackend:
    """A model on an Ollama server; see ``Backend`` for the stream.

    Where the endpoint is local, a model that the server would answer elsewhere is refused with ``Blocked``, before a
    prompt is sent. ``key`` goes to the endpoint's own host only. Raises ``BadConfiguration`` for an impossible
    ``keep_alive`` or key; the URL and the endpoint's headers are checked on first use.
    """

    def __init__(self, endpoint: Endpoint, key: str | None = None) -> None:
        self._endpoint = endpoint
        self._key = KeyHeader(endpoint, key) if key else None
        self._keep_alive = _keep_alive(endpoint.keep_alive)
        self._client: httpx.AsyncClient | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The configuration that this backend was built from."""
        return self._endpoint

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact bytes of ``POST /api/chat``. Raises ``InputError`` for text that UTF-8 cannot express."""
        options: dict[str, int | float | None] = {
            "num_ctx": self._endpoint.num_ctx,
            "num_predict": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        top_logprobs = min(request.top_logprobs, self._endpoint.max_top_logprobs)
        body = wire.ChatBody(
            model=self._endpoint.model,
            messages=tuple(wire.SentMessage(message.role, message.content) for message in request.messages),
            stream=True,
            truncate=False,
            shift=False,
            options={name: value for name, value in options.items() if value is not None},
            keep_alive=self._keep_alive,
            logprobs=top_logprobs > 0,
            top_logprobs=top_logprobs,
        )
        try:
            return msgspec.json.encode(body)
        except UnicodeEncodeError as error:
            message = "the text holds half a character (a lone surrogate) that cannot be sent"
            raise InputError(message, hint="Paste the text again, or save it as UTF-8.") from error

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer ``request``; see ``Backend``."""
        body = self.body(request)
        if self._endpoint.place is Place.LOCAL:
            for known in await check(self._http(), self._endpoint):
                yield known
        else:
            yield Accepted(self._endpoint.model)
        url, headers = self._endpoint.url.rstrip("/") + "/api/chat", {"Content-Type": "application/json"}
        post = self._http().build_request("POST", url, content=body, headers=headers)
        async with open_stream(self._http(), post, self._endpoint, START_HINT) as answer:
            if answer.response.status_code != 200:
                response = answer.response
                said = self._without_key(await answer.body())
                raise refusal(self._endpoint, response.status_code, response.headers, said)
            async with aclosing(self._parts(answer)) as parts:
                async for part in parts:
                    yield part

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = new_client(self._endpoint)
            if self._key:
                self._client.auth = self._key
        return self._client

    def _without_key(self, said: bytes) -> bytes:
        return self._key.hidden_in(said) if self._key else said

    async def _parts(self, answer: StreamedAnswer) -> AsyncGenerator[StreamPart]:
        thinking = False
        async with aclosing(answer.lines()) as lines:
            async for line in lines:
                chunk = self._chunk(line)
                logprobs = tuple(map(_token, chunk.logprobs or ()))
                thought = (chunk.message and chunk.message.thinking) or ""
                text = (chunk.message and chunk.message.content) or ""
                if thought or text or logprobs:
                    answer.first_token_came()
                if thought:
                    thinking = True
                    yield Piece(thought, () if text else logprobs, thinking=True)
                if text:
                    thinking = False
                    yield Piece(text, logprobs)
                if logprobs and not (thought or text):  # its text is held back until a character is complete
                    yield Piece("", logprobs, thinking)
                if chunk.done:
                    yield _ended(chunk)
                    return
        message = f"{self._endpoint.name} ended the answer without saying that it was done"
        hint = "The answer may be cut off: Ollama does this when a model repeats itself. Ask again."
        raise StreamIncomplete(message, endpoint=self._endpoint.name, hint=hint)

    def _chunk(self, line: bytes) -> wire.Chunk:
        try:
            chunk = wire.read_chunk(line)
        except wire.UNREADABLE as error:
            message = f"{self._endpoint.name} sent a line that is no part of an answer"
            hint = "Check that the URL is that of an Ollama server."
            raise StreamBroken(message, endpoint=self._endpoint.name, hint=hint) from error
        if chunk.error is not None:
            raise failure(self._endpoint, self._without_key(chunk.error.encode()))
        if self._endpoint.place is Place.LOCAL and (chunk.remote_host or chunk.remote_model):
            raise runs_elsewhere(self._endpoint, chunk.remote_host or "")
        return chunk


def _token(read: wire.ReadLogprob) -> TokenLogprob:
    top = sorted((alternative.logprob for alternative in read.top_logprobs or ()), reverse=True)
    return TokenLogprob(read.token, read.logprob, tuple(top), None if read.bytes is None else bytes(read.bytes))


def _ended(chunk: wire.Chunk) -> Ended:
    return Ended(
        FinishReason.LENGTH if chunk.done_reason == "length" else FinishReason.STOP,
        Usage(chunk.prompt_eval_count, chunk.eval_count),
        load_seconds=None if chunk.load_duration is None else chunk.load_duration / 1e9,
        model=chunk.model,
    )


def _keep_alive(text: str | None) -> int | str | None:
    """Return what the server accepts: a number means seconds, but as a string it would be an error."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    if re.fullmatch(r"[+-]?\d{1,9}", text):
        return int(text)
    if _DURATION.fullmatch(text):
        return text
    raise BadConfiguration(f"keep_alive {text!r} is no duration", hint="Write it like 10m, 1h30m, 0 or -1 (for ever).")
