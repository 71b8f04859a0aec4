"""Erases what was kept for as long as it should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hybridchat.errors import HybridChatError
from hybridchat.phrases import counted

if TYPE_CHECKING:
    from hybridchat.store.database import Store


async def apply_retention(store: Store, days: int | None, ledger_days: int | None) -> str:
    """Erase conversations and unsent drafts that nobody wrote to for ``days``, the ledger's rows after ``ledger_days``.

    None means never. Return what to tell, empty where nothing was old enough; what cannot be done now is told, too: it
    keeps nobody from working.
    """
    told: list[str] = []
    now = datetime.now(UTC)
    try:
        if days is not None:
            old = await store.erasing.unused_since(now - timedelta(days=days))
            drafts = await store.erasing.drafts_in_period(None, now - timedelta(days=days))
            if old or drafts:
                await store.erasing.erase(old, drafts)
            if old:
                told.append(
                    f"{counted(len(old), 'conversation')} that nobody wrote to for {counted(days, 'day')} erased"
                )
            if drafts:
                told.append(f"{counted(len(drafts), 'unsent draft')} not changed for {counted(days, 'day')} erased")
        if ledger_days is not None and (dropped := await store.ledger.drop_before(now - timedelta(days=ledger_days))):
            told.append(f"{counted(dropped, 'row')} of the ledger older than {counted(ledger_days, 'day')} dropped")
    except HybridChatError as problem:
        told.append(f"what is too old could not be erased: {problem.message}")
    return "; ".join(told)
