"""Takes the first of several local backends that can answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from hybridchat.backends.model_files.catalogue import find
from hybridchat.backends.protocol import Accepted, Backend, ChatRequest, StreamPart, Waiting
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BackendError, ModelMissing, Unreachable

_PULL = (
    "Start Ollama and run `ollama pull {model}`; or `hybridchat models pull {model}` for the embedded engine; "
    "or `hybridchat models pull smollm2` for a small stand-in (98 MB)."
)


_OTHER_NAME = (
    "Start Ollama and run `ollama pull {model}`, if it has a model of that name; "
    "or choose another with --model: `hybridchat models list` shows those that are here."
)
_FILE = "Look at the path's spelling, or choose another model with --model."


class FirstAvailable:
    """Tries each backend in turn until one has the model; that one answers.

    A backend that is not reachable, or has not got the model, is passed over; any other error is the answer's.
    """

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = list(backends)
        self._current = self._backends[0]

    @property
    def endpoint(self) -> Endpoint:
        """The configuration of the backend that answered last."""
        return self._current.endpoint

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer with the first backend that can; raises ``Unreachable`` or ``ModelMissing`` where none can."""
        failures: list[BackendError] = []
        for backend in self._backends:
            said_something = False
            try:
                async with aclosing(backend.stream(request)) as parts:
                    async for part in parts:
                        if isinstance(part, Accepted):
                            self._current = backend
                        said_something = said_something or not isinstance(part, (Accepted, Waiting))
                        yield part
                    return
            except (Unreachable, ModelMissing) as failure:
                if said_something:
                    raise
                failures.append(failure)
        raise self._summary(failures)

    def body(self, request: ChatRequest) -> bytes:
        """Return the request body of the backend that answered last."""
        return self._current.body(request)

    async def aclose(self) -> None:
        """Close all of them."""
        for backend in self._backends:
            await backend.aclose()

    def _summary(self, failures: Sequence[BackendError]) -> BackendError:
        endpoint = self._backends[0].endpoint
        kind = ModelMissing if any(isinstance(f, ModelMissing) for f in failures) else Unreachable
        return kind(
            "no local model can answer: " + "; ".join(dict.fromkeys(failure.message for failure in failures)),
            endpoint=endpoint.name,
            hint=_advice(endpoint.model),
        )


def _advice(model: str) -> str:
    try:
        known = find(model)
    except ModelMissing:
        return _OTHER_NAME.format(model=model)
    return _FILE if isinstance(known, Path) else _PULL.format(model=model)
