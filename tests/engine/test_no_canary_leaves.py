from __future__ import annotations

import asyncio
import base64
import html
import json
import quopri
import random
import re
import unicodedata
import urllib.parse
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from benchmarks import canaries
from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Backend
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import Auth, PrivacySettings, Settings
from hybridchat.engine import Engine, TurnRequest
from hybridchat.events import Finished, Routed
from hybridchat.messages import DataPolicy, Place
from hybridchat.privacy.fence import fenced
from hybridchat.store.database import Store
from tests.engine.conftest import LOCAL, REMOTE
from tests.engine.policies import ScriptedPolicy
from tests.servers.openai import delta, stream

CONVERSATIONS = 200
CANARIES = 1_000
FRAMES = [
    "please look at {}, it does not work",
    "Bitte prüfe {} noch einmal.",
    "Pourquoi {} ne marche pas ?",
    "¿Qué pasa con {}?",
    "请看 {} 这个",
    'client = connect("{}")  # why?',
    "2026-03-04T05:06:07Z WARN worker-3 got {} after 3 tries",
    '{{"request": {{"value": "{}", "retries": 3}}}}',
    "| item | {} | ok |\n|---|---|---|",
    "- first\n- **{}**\n- third",
    "> {}\n\nthey wrote",
    "<td>{}</td>",
]


@dataclass
class Conversation:
    """What is asked, and which values must not leave."""

    prompts: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)


class Recorder:
    """A server that keeps every byte, and answers with what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.bodies.append(head + body)
        said = json.loads(body)["messages"][-1]["content"]
        pieces = [said[at : at + 7] for at in range(0, len(said), 7)]
        for step in stream(*(delta(piece) for piece in pieces), delta(finish="stop")):
            assert isinstance(step, bytes)
            writer.write(step)
        await writer.drain()
        writer.close()


def conversations(seed: int) -> list[Conversation]:
    rng = random.Random(seed)
    alone = {**canaries.SECRETS, **canaries.PERSONAL}
    kinds = [*alone, *canaries.IN_CONTEXT]
    made = [Conversation() for _ in range(CONVERSATIONS)]
    for number in range(CANARIES):
        conversation, kind = made[number % CONVERSATIONS], kinds[number % len(kinds)]
        if kind in canaries.IN_CONTEXT:
            make, frames = canaries.IN_CONTEXT[kind]
            value = make(rng)
            conversation.prompts.append(rng.choice(frames).replace("{}", value))
        else:
            value = alone[kind](rng)
            conversation.prompts += placed(rng, kind, value)
        conversation.values.append((kind, value))
    return made


def placed(rng: random.Random, kind: str, value: str) -> list[str]:
    way = rng.random()
    frame = rng.choice(FRAMES).replace("{{", "{").replace("}}", "}")
    if "\n" in value:
        return [rng.choice([value, f"the key:\n{value}\nwhy?", json.dumps({"key": value})])]
    if way < 0.45:
        return [frame.replace("{}", value)]
    if way < 0.6:
        return [f"What is wrong?\n\n{fenced(frame.replace('{}', value), 'settings.txt')}"]
    if way < 0.7 and kind in canaries.SECRETS and len(value) > 30:
        cut = len(value) // 2
        return [f"the first half is\n{value[:cut]}", f"{value[cut:]}"]
    if way < 0.8 and kind in canaries.SECRETS and len(value) > 40:
        cut = len(value) // 2
        return [f"it is wrapped:\n{value[:cut]}\n{value[cut:]}\nright?"]
    return [frame.replace("{}", canaries.spelled(value, rng.choice(canaries.FORMS)))]


def readings(body: str) -> list[str]:
    """What a curious server might read out of a payload."""
    texts = [body, json.dumps(json.loads(body), ensure_ascii=False)]
    texts += [m["content"] for m in json.loads(body)["messages"]]
    texts.append(" ".join(texts[2:]))
    whole = texts[-1]
    texts += [urllib.parse.unquote(whole), html.unescape(whole), unicodedata.normalize("NFKC", whole)]
    texts.append(quopri.decodestring(whole.encode()).decode("utf-8", "replace"))
    texts.append(re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), whole))
    texts.append(re.sub("[\u200b\u200c\u200d\ufeff]", "", whole))
    for run in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", whole):
        texts.append(
            base64.b64decode(run + "=" * (-len(run) % 4), validate=False).decode("utf-8", "replace")
            if len(run) % 4 != 1
            else ""
        )
        texts.append(bytes.fromhex(run).decode("utf-8", "replace") if re.fullmatch("(?:[0-9a-f]{2})+", run) else "")
    return texts


def bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def test_the_canaries_are_many_and_of_many_kinds() -> None:
    made = conversations(1)
    values = [value for conversation in made for value in conversation.values]
    assert len(made) >= 200
    assert len(values) >= 1_000
    assert len({kind for kind, _ in values}) >= 20


@pytest.mark.parametrize("seed", [20261122])
async def test_of_a_thousand_canaries_none_leaves_and_every_placeholder_comes_back(tmp_path: Path, seed: int) -> None:
    recorder = Recorder()
    server = await asyncio.start_server(recorder.connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    settings = replace(Settings(), privacy=PrivacySettings(data_policy=DataPolicy.ALLOW))
    leaked, mangled = [], []
    async with server, Store.open(tmp_path / "store.db") as store:
        remote = OpenAICompatibleBackend(replace(REMOTE, url=url, auth=Auth.NONE), None)

        async def open_remote(model: str | None) -> Backend:
            return remote

        engine = Engine(settings, store, ScriptedBackend(LOCAL, script(["x"])), ScriptedPolicy(), open_remote)
        for conversation in conversations(seed):
            conversation_id = None
            sent = len(recorder.bodies)
            for prompt in conversation.prompts:
                request = TurnRequest(prompt, conversation_id=conversation_id, choice=Place.REMOTE)
                async for event in engine.turn(request):
                    if isinstance(event, Routed):
                        conversation_id = event.conversation_id
                    if isinstance(event, Finished) and event.text != prompt:
                        mangled.append((prompt, event.text))
            for body in recorder.bodies[sent:]:
                seen = [bare(text) for text in readings(body.partition(b"\r\n\r\n")[2].decode())]
                leaked += [
                    (kind, value) for kind, value in conversation.values if any(bare(value) in text for text in seen)
                ]
        await remote.aclose()
    assert len(recorder.bodies) >= CANARIES
    assert leaked == []
    assert mangled == []
