from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.backends import demo, recording
from hybridchat.backends.ollama.backend import OllamaBackend
from hybridchat.backends.protocol import Piece
from hybridchat.backends.scripted import Pause
from hybridchat.config.settings import Endpoint, Kind, Settings
from hybridchat.engine import Engine, TurnRequest
from hybridchat.events import Delta, Finished, Measured, SetAside
from hybridchat.messages import DataPolicy, Place, TokenLogprob
from hybridchat.routing.gain import GainPolicy
from hybridchat.store.database import Store
from tests.servers.ollama import DONE, FakeOllama, line, streamed


def native(token: TokenLogprob) -> dict[str, object]:
    top = [{"token": f"#{rank}", "logprob": logprob, "bytes": []} for rank, logprob in enumerate(token.top)]
    spelled = list(token.token.encode())
    return {"token": token.token, "logprob": token.logprob, "bytes": spelled, "top_logprobs": top}


async def test_a_real_models_logprobs_on_ollamas_own_api_bring_the_remote_in_mid_stream(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [step for step in demo.local()._scripts[0] if isinstance(step, Piece)]
    chunks = [line(piece.text, logprobs=[native(token) for token in piece.logprobs]) for piece in pieces]
    settings = Settings(privacy=replace(Settings().privacy, data_policy=DataPolicy.ALLOW))
    monkeypatch.setattr(recording, "Pause", lambda seconds: Pause(0 * seconds))  # played at once
    remote = demo.remote()

    async def open_remote(_model: str | None) -> object:
        return remote

    async with FakeOllama() as server:
        server.chat(*streamed(*chunks, DONE))
        local = OllamaBackend(Endpoint("ollama", Kind.OLLAMA, server.url, "phi3.5", Place.LOCAL, num_ctx=4096))
        engine = Engine(settings, store, local, GainPolicy(), open_remote)  # type: ignore[arg-type]  # it is a Backend
        events = [event async for event in engine.turn(TurnRequest(demo.QUESTION))]
        await local.aclose()

    set_aside = next(event for event in events if isinstance(event, SetAside))
    shown = "".join(event.text for event in events if isinstance(event, Delta) and event.place is Place.LOCAL)
    whole = "".join(piece.text for piece in pieces)
    assert 0 < len(shown) < len(whole)
    assert whole.startswith(shown)
    assert set_aside.tokens < len(pieces)
    measured = [event for event in events if isinstance(event, Measured)]
    assert all(event.confidence.basis == "logprobs" and not event.confidence.calibrated for event in measured)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.provenance.place is Place.REMOTE
