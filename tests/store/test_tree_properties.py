from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from hybridchat.messages import Role, Status
from hybridchat.store.database import Store
from tests.store.conftest import LOCAL

TEXT = st.text(st.characters(), max_size=30)  # any code point: NUL, lone surrogates, noncharacters


def _kept(text: str) -> str:
    return "".join(
        "\ufffd" if character == "\0" or "\ud800" <= character <= "\udfff" else character for character in text
    )


@dataclass
class Node:
    parent: str | None
    content: str
    status: Status = Status.COMPLETE


@dataclass
class Model:
    nodes: dict[str, Node] = field(default_factory=dict)
    head: str | None = None

    def path(self, message_id: str) -> list[str]:
        parent = self.nodes[message_id].parent
        return [*([] if parent is None else self.path(parent)), message_id]

    def below(self, parent: str | None) -> list[str]:
        return [message_id for message_id, node in self.nodes.items() if node.parent == parent]


class Trees(RuleBasedStateMachine):
    messages = Bundle("messages")
    answers = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = Store.open(None)
        self.model = Model()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def create(self) -> None:
        self.conversation_id: str = self.run(self.store.conversations.create("one")).id

    @rule(target=messages, content=TEXT)
    def begin(self, content: str) -> str:
        return self._said(None, content)

    @rule(target=messages, parent=messages, content=TEXT)
    def say(self, parent: str, content: str) -> str:
        return self._said(parent, content)

    @rule(target=answers, parent=messages)
    def begin_answer(self, parent: str) -> str:
        answer = self.run(self.store.conversations.begin_answer(self.conversation_id, parent, LOCAL))
        self.model.nodes[answer.id] = Node(parent, "", Status.STREAMING)
        return str(answer.id)

    @rule(answer=answers, pieces=st.lists(TEXT, max_size=4), flush=st.booleans())
    def stream(self, answer: str, pieces: list[str], flush: bool) -> None:
        async def stream() -> None:
            for piece in pieces:
                self.store.conversations.journal(answer, piece)
            if flush:
                await self.store.conversations.flush()

        self.run(stream())
        self.model.nodes[answer].content += "".join(pieces)

    @rule(
        target=messages,
        answer=consumes(answers),
        status=st.sampled_from([Status.COMPLETE, Status.PARTIAL, Status.SET_ASIDE]),
    )
    def finish(self, answer: str, status: Status) -> str:
        done = self.run(self.store.conversations.finish_answer(answer, status, LOCAL))
        self.model.nodes[answer].status = status
        assert done.content == _kept(self.model.nodes[answer].content)
        if status is not Status.SET_ASIDE:
            self.model.head = answer
        return answer

    @rule(message=messages)
    def stand_on(self, message: str) -> None:
        self.run(self.store.conversations.set_head(self.conversation_id, message))
        self.model.head = message

    @rule()
    def flush(self) -> None:
        self.run(self.store.conversations.flush())
        for message_id, node in self.model.nodes.items():
            kept = self.run(self.store.conversations.message(message_id))
            assert kept.content == _kept(node.content)

    @rule(message=messages)
    def look(self, message: str) -> None:
        conversations = self.store.conversations
        assert [found.id for found in self.run(conversations.path(message))] == self.model.path(message)
        parent = self.model.nodes[message].parent
        assert [found.id for found in self.run(conversations.siblings(message))] == self.model.below(parent)
        assert [found.id for found in self.run(conversations.children(message))] == self.model.below(message)

    @invariant()
    def the_tree_is_the_models(self) -> None:
        kept = self.run(self.store.conversations.tree(self.conversation_id))
        assert [message.id for message in kept] == list(self.model.nodes)
        for message in kept:
            node = self.model.nodes[message.id]
            assert (message.parent_id, message.status) == (node.parent, node.status)
            if message.status is not Status.STREAMING:
                assert message.content == _kept(node.content)
            assert (message.provenance is None) == (message.role is not Role.ASSISTANT)
        assert self.run(self.store.conversations.get(self.conversation_id)).head_id == self.model.head

    def teardown(self) -> None:
        self.run(self.store.aclose())
        self.loop.close()

    def _said(self, parent: str | None, content: str) -> str:
        message = self.run(self.store.conversations.add_user_message(self.conversation_id, parent, content))
        self.model.nodes[message.id] = Node(parent, content)
        self.model.head = message.id
        return str(message.id)


TestTrees = Trees.TestCase
TestTrees.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
