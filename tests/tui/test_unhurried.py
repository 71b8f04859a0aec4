from __future__ import annotations

import pytest
from textual.widgets import Static

from hybridchat.tui.consent import ConsentDialog
from tests.engine.policies import ScriptedPolicy
from tests.tui.conftest import Chat


def title(dialog: ConsentDialog) -> str:
    return str(dialog.query_one("#consent-title", Static).render())


async def test_the_title_says_when_no_key_counts_yet(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConsentDialog, "QUIET", 3600.0)
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await running.dialog(ConsentDialog)
        assert isinstance(dialog, ConsentDialog)
        assert title(dialog) == "Send this to a remote model? · keys count in a moment"
        dialog.arm()
        assert title(dialog) == "Send this to a remote model?"
        await running.press("x")
        assert title(dialog) == "Send this to a remote model? · keys count in a moment"
        dialog.arm()
        await running.press("escape")
        await running.idle()
