from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Backend
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import Auth, Endpoint, HandoverSettings, Kind, Settings
from hybridchat.engine import Engine, TurnRequest, local_context
from hybridchat.engine.condenser import condensed, older_turns
from hybridchat.events import Finished, HandOver
from hybridchat.handover.must_keep import items_of_all, lost
from hybridchat.messages import DataPolicy, Message, Place, Provenance, Status
from hybridchat.store.database import Store
from tests.engine.conftest import REMOTE
from tests.engine.policies import ScriptedPolicy
from tests.servers.llama_cpp import LlamaServer

pytestmark = pytest.mark.real_model

ADVICE = (  # long enough for a summary to be shorter, and without anything that it may not lose
    "Take the train. "
    + "It is slow and calm, it shows the country on the way, and nobody has to drive or to park. " * 12
)
TALK = [
    ("We are 14 people and want to see Lisbon on 2027-05-03. It must not cost more than 900 euros.", ADVICE),
    ("Who could guide us?", "Ada Lovelace could."),
]


class Pair:
    """A real small model as the local one, a recorder as the remote one, and a conversation."""

    def __init__(self, server: LlamaServer, store: Store, form: HandOver) -> None:
        endpoint = Endpoint("llama.cpp", Kind.OPENAI, server.url, "smollm2", Place.LOCAL, Auth.BEARER, num_ctx=2048)
        self.local = OpenAICompatibleBackend(endpoint, server.key)
        self.remote = ScriptedBackend(REMOTE, script(["Go."], None))
        self.store = store
        settings = Settings(handover=HandoverSettings(form))
        settings = replace(settings, privacy=replace(settings.privacy, data_policy=DataPolicy.ALLOW))
        self.engine = Engine(settings, store, self.local, ScriptedPolicy(), self._open)

    async def _open(self, _model: str | None) -> Backend:
        return self.remote

    async def path(self) -> list[Message]:
        conversations = self.store.conversations
        conversation = await conversations.create("a trip")
        parent: str | None = None
        source = Provenance(Place.LOCAL, "llama.cpp", "smollm2", "for a test")
        for question, answer in TALK:
            asked = await conversations.add_user_message(conversation.id, parent, question)
            begun = await conversations.begin_answer(conversation.id, asked.id, source)
            conversations.journal(begun.id, answer)
            parent = (await conversations.finish_answer(begun.id, Status.COMPLETE, source)).id
        assert parent is not None
        return await conversations.path(parent)


async def test_a_real_model_condenses_and_nothing_that_must_be_kept_is_lost(
    llama_server: LlamaServer, store: Store
) -> None:
    pair = Pair(llama_server, store, HandOver.CONDENSE)
    try:
        path = await pair.path()
        older = older_turns(path)
        summary = await condensed(pair.engine, older)
        assert summary.text
        assert lost([item for _, item in items_of_all(older)], summary.text) == []
        event = await local_context.condense(pair.engine, path)  # what was written is used again
        assert event.messages == len(older)
    finally:
        await pair.local.aclose()


async def test_a_real_models_question_is_sent_alone_or_the_conversation_as_it_stands_with_a_word(
    llama_server: LlamaServer, store: Store
) -> None:
    pair = Pair(llama_server, store, HandOver.DISTIL)
    try:
        path = await pair.path()
        turn = pair.engine.turn(
            TurnRequest("And from Madrid?", conversation_id=path[0].conversation_id, choice=Place.REMOTE)
        )
        last = [event async for event in turn][-1]
        assert isinstance(last, Finished)
        (request,) = pair.remote.requests
        distilled = len(request.messages) == 1
        assert distilled is not any("as it stands" in note for note in last.notes)
        assert "Madrid" in request.messages[-1].content
    finally:
        await pair.local.aclose()
