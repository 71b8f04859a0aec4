"""A model that can add, but is wrong where a test wants it to be: no real one is, on demand."""

from __future__ import annotations

import re
import signal
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import msgspec

from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.messages import FinishReason, Place, TokenLogprob, Usage

SURE, UNSURE = -0.02, -1.4


@dataclass
class Pupil:
    """Answers "What is A + B?"; wrong where ``fails`` says so of A, and then mostly unsure.

    ``top_k`` 0 gives no logprobs; after ``stops_after`` answers the user presses Ctrl-C.
    """

    fails: Callable[[int], bool]
    digest: str | None = "sha256:1"
    top_k: int = 3
    place: Place = Place.LOCAL
    stops_after: int | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> Endpoint:
        url = "https://pupil.example/v1" if self.place is Place.REMOTE else ""
        return Endpoint("pupil", Kind.OPENAI, url, "pupil", self.place, num_ctx=4096)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        question = request.messages[-1].content
        yield Accepted("pupil", self.digest)
        if len(self.asked) == self.stops_after:
            signal.raise_signal(signal.SIGINT)
        self.asked.append(question)
        a, b = map(int, re.findall(r"\d+", question)[:2])
        wrong = self.fails(a)
        logprob = (UNSURE if wrong else SURE) if a % 5 else (SURE if wrong else UNSURE)
        for word in ("It", " is", f" {a + b + 10 * wrong}", "."):
            top = (logprob, logprob - 1.0, logprob - 2.0, logprob - 3.0)[: self.top_k]
            yield Piece(word, (TokenLogprob(word, logprob, top),) if self.top_k else ())
        yield Ended(FinishReason.STOP, Usage(10, 4))

    def body(self, request: ChatRequest) -> bytes:
        return msgspec.json.encode(request.messages)

    async def aclose(self) -> None: ...
