"""The command palette: every action of the chat screen, found by typing some of its letters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from hybridchat.tui.keys import ACTIONS, Action, readable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class ActionProvider(Provider):
    """Offers the actions of the screen that the palette was opened on."""

    async def discover(self) -> Hits:
        """Offer all actions."""
        for action in ACTIONS:
            yield DiscoveryHit(_shown(action), self._run(action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Offer the actions that ``query`` fits to."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            shown = _shown(action)
            score = max(matcher.match(shown), matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(shown), self._run(action), help=action.help)

    def _run(self, action: Action) -> Callable[[], Awaitable[object]]:
        return partial(self.screen.run_action, f"screen.{action.method}")


def _shown(action: Action) -> str:
    return f"{action.label} ({readable(action.keys)})" if action.keys else action.label
