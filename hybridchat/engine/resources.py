"""What turns work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import Backend
from hybridchat.config.settings import Settings
from hybridchat.context import PromptMeter
from hybridchat.engine.condenser import BackgroundCondenser
from hybridchat.engine.experience import Experience
from hybridchat.engine.local_context import LocalContext
from hybridchat.engine.shadow import Shadows
from hybridchat.routing.policy import Policy
from hybridchat.store.database import Store
from hybridchat.store.spending import Spending

if TYPE_CHECKING:
    from hybridchat.engine.second_look import SecondLook
    from hybridchat.privacy.redaction import Redactor

OpenRemote = Callable[[str | None], Awaitable[Backend]]
Connect = Callable[[], Awaitable[None]]


class Resources:
    """Everything that a turn works with; one for the life of the program.

    ``open_remote`` builds the backend of the remote model, of another one than the configured where a name is given;
    it reads the key, and is therefore only called when something may really be sent. It is None where no remote is
    configured. ``connect_ahead`` opens a connection to the remote server and sends nothing over it. ``spending`` is
    where the budget is kept, where that is not the store. ``local_window`` is the local context window in tokens, as
    far as it is known. Redactors live as long as this does, one a conversation, so that a placeholder means the same
    all through it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        local: Backend,
        policy: Policy,
        open_remote: OpenRemote | None = None,
        *,
        connect_ahead: Connect | None = None,
        spending: Spending | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.local = local
        self.policy = policy
        self.open_remote = open_remote
        self.connect_ahead = connect_ahead
        self.spending = spending or store.spending
        self.experience = Experience(store, policy, learns=settings.routing.learn)
        self.local_meter = PromptMeter()
        self.local_window = local.endpoint.num_ctx
        self.local_context = LocalContext(store, self.local_meter)
        self.condensing = BackgroundCondenser(self)
        self.shadows = Shadows()
        self.second_look: SecondLook | None = None  # the one that may be running
        self._redactors: dict[str, Redactor] = {}

    async def redactor(self, conversation_id: str) -> Redactor:
        """Return the conversation's redactor, which knows the user's words for it."""
        if conversation_id not in self._redactors:
            # The detectors' patterns take a while to compile: only where something may leave.
            from hybridchat.engine.this_user import this_user  # noqa: PLC0415 -- see above
            from hybridchat.privacy.redaction import Redactor  # noqa: PLC0415 -- see above

            words = await self.store.contexts.private_words(conversation_id)
            redactor = Redactor(words=(*self.settings.privacy.words, *words), identity=this_user())
            self._redactors.setdefault(conversation_id, redactor)
        return self._redactors[conversation_id]

    async def add_private_words(self, conversation_id: str, words: Sequence[str]) -> None:
        """Take these words out of whatever leaves of this conversation, from now on."""
        if words:
            (await self.redactor(conversation_id)).add_words(words)
            await self.store.contexts.add_private_words(conversation_id, words)
