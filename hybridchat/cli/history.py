"""``hybridchat history``: what was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from hybridchat.messages import Message
    from hybridchat.store.database import Store

app = typer.Typer(help="Look through earlier conversations.", no_args_is_help=True)

Result = TypeVar("Result")
_Json = Annotated[bool, typer.Option("--json", help="Write JSON Lines.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The conversation; the beginning of its ID is enough.")]


def in_store(use: Callable[[Store], Awaitable[Result]], *, reads_only: bool = False) -> Result:
    """Open the store of this user, and nothing else, for ``use``.

    What ``reads_only`` works on a disk where nothing can be written, too.
    """
    import asyncio  # noqa: PLC0415 -- `--help` opens no store

    from hybridchat.cli import wiring  # noqa: PLC0415 -- the same
    from hybridchat.config.loading import load  # noqa: PLC0415 -- the same
    from hybridchat.errors import CannotWrite  # noqa: PLC0415 -- the same

    async def run() -> Result:
        settings = load().settings
        credentials = wiring.new_credentials(settings)
        try:
            store = wiring.open_store(settings, credentials)
        except CannotWrite:
            if not reads_only:
                raise
            store = wiring.open_store(settings, credentials, read_only=True)
        async with store:
            return await use(store)

    return asyncio.run(run())


@app.command("list")
def list_conversations(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    as_json: _Json = False,
) -> None:
    """List conversations, the last used first."""
    from hybridchat.cli.listing import show_records  # noqa: PLC0415 -- `--help` prints no list

    found = in_store(lambda store: store.conversations.list(limit), reads_only=True)
    records = [
        {"id": one.id, "updated_at": one.updated_at, "title": one.title, "created_at": one.created_at} for one in found
    ]
    show_records(records, ("id", "updated_at", "title"), as_json=as_json, empty="there are no conversations yet")


@app.command()
def show(conversation_id: _Id, *, as_json: _Json = False) -> None:
    """Show a conversation up to where you last stood in it."""
    from hybridchat.cli.listing import show_records, show_text  # noqa: PLC0415 -- `--help` prints no list

    async def path(store: Store) -> list[Message]:
        conversation = await store.conversations.get(conversation_id)
        return await store.conversations.path(conversation.head_id) if conversation.head_id else []

    messages = in_store(path, reads_only=True)
    if as_json:
        show_records([{"message": message} for message in messages], (), as_json=True, empty="")
    else:
        show_text("\n".join(map(_as_text, messages)))


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words that must all occur.")],
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    as_json: _Json = False,
) -> None:
    """Search all conversations, the best match first."""
    from hybridchat.cli.listing import show_records  # noqa: PLC0415 -- `--help` prints no list

    hits = in_store(lambda store: store.search(" ".join(words), limit), reads_only=True)
    records = [
        {
            "id": hit.conversation.id,
            "title": hit.conversation.title,
            "found": hit.snippet,
            "message_id": hit.message.id if hit.message else None,
            "role": hit.message.role if hit.message else None,
            "marks": hit.marks,
        }
        for hit in hits
    ]
    show_records(records, ("id", "title", "found"), as_json=as_json, empty="nothing was found")


@app.command()
def delete(conversation_id: _Id) -> None:
    """Delete a conversation with all its branches. What left the machine stays in the ledger."""
    from hybridchat.cli.listing import tell  # noqa: PLC0415 -- `--help` tells nothing
    from hybridchat.text import one_line  # noqa: PLC0415 -- the same

    async def remove(store: Store) -> str:
        conversation = await store.conversations.get(conversation_id)
        await store.conversations.delete(conversation.id)
        return conversation.title

    tell(f"deleted: {one_line(in_store(remove), 80)}")


def _as_text(message: Message) -> str:
    from hybridchat import phrases  # noqa: PLC0415 -- `--help` shows no message
    from hybridchat.text import clean  # noqa: PLC0415 -- the same

    when = f"{message.created_at.astimezone():%Y-%m-%d %H:%M}"
    if message.goes_on:
        return f"--- continued, {when}\n"
    lines = [f"--- {message.role}, {when}"]
    if message.status != "complete":
        lines[0] += f", {message.status.replace('_', ' ')}"
    lines.append(clean(message.content))
    if message.provenance is not None:
        lines.append(clean(f"[{phrases.provenance(message.provenance)}]"))
    return "\n".join(lines) + "\n"
