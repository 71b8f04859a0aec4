"""Which local model would answer now, and whether there is a calibration for it."""

from __future__ import annotations

from contextlib import aclosing

from hybridchat.backends.protocol import Accepted, Backend, ChatRequest
from hybridchat.config import paths
from hybridchat.config.settings import Settings
from hybridchat.errors import ServerFailed
from hybridchat.evaluation.calibrations import Calibrations
from hybridchat.messages import ChatMessage, Role
from hybridchat.routing.policy import LocalModel


def calibrations(settings: Settings) -> Calibrations:
    """Return the calibrations of this user."""
    return Calibrations(paths.calibrations_folder(settings.store), settings.answer.system)


async def accepted_by(backend: Backend) -> Accepted:
    """Return which model takes a question: a local backend says so before it puts the question.

    Where it is a server of the general kind, that would be the question already; it is believed to have the model that
    is configured. Raises as the backend does where there is none.
    """
    from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 -- brings httpx

    if isinstance(backend, OpenAICompatibleBackend):
        return Accepted(backend.endpoint.model)
    async with aclosing(backend.stream(ChatRequest((ChatMessage(Role.USER, "Hello"),), max_tokens=1))) as parts:
        async for part in parts:
            if isinstance(part, Accepted):
                return part
    raise ServerFailed("the local model says nothing", endpoint=backend.endpoint.name, hint="Start its server again.")


async def live_model(backend: Backend) -> LocalModel:
    """Return the model that would answer now, and close the backend."""
    try:
        accepted = await accepted_by(backend)
    finally:
        await backend.aclose()
    return LocalModel(accepted.model, accepted.digest)
