"""Who decides what may leave the machine: the strictest word counts, and nothing overrides ``local-only``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hybridchat.messages import DataPolicy, strictest


class Permission(StrEnum):
    """Whether something may leave."""

    SEND = "send"
    ASK = "ask"  # only a person's yes to this very payload lets it leave
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A permission with the sentence that explains it and, where something can be done about it, a hint."""

    permission: Permission
    reason: str
    hint: str = ""


def effective(
    call: DataPolicy | None = None,
    conversation: DataPolicy | None = None,
    folder: DataPolicy | None = None,
    user: DataPolicy | None = None,
) -> DataPolicy:
    """Return the strictest policy that is set; ``confirm`` where none is."""
    return strictest((call, conversation, folder, user))


def verdict(
    policy: DataPolicy,
    *,
    offline: bool = False,
    allow_remote: bool = False,
    can_ask: bool = False,
    always: bool = False,
) -> Verdict:
    """Decide whether something may leave under ``policy``.

    ``allow_remote`` (the flag of this call) and ``always`` ("always for this conversation" in an earlier dialog) answer
    ``confirm``; they lift neither ``local-only`` nor ``offline``. ``can_ask`` says that a person is there to be asked;
    without one, ``confirm`` refuses.
    """
    if offline:
        return Verdict(
            Permission.REFUSE,
            "Offline mode is on: nothing leaves this machine.",
            "Run without --offline; `hybridchat config show` says whether a setting asks for it.",
        )
    match policy:
        case DataPolicy.LOCAL_ONLY:
            return Verdict(
                Permission.REFUSE,
                "The data policy is local-only: nothing leaves this machine.",
                "`hybridchat config show` says where the policy comes from; --allow-remote does not lift it.",
            )
        case DataPolicy.ALLOW:
            return Verdict(Permission.SEND, "The data policy allows the remote model.")
        case DataPolicy.CONFIRM if allow_remote or always:
            answered = "this call by --allow-remote" if allow_remote else "this conversation by you"
            return Verdict(Permission.SEND, f"Allowed for {answered}.")
        case DataPolicy.CONFIRM if can_ask:
            return Verdict(Permission.ASK, "The data policy asks before anything leaves.")
    return Verdict(
        Permission.REFUSE,
        "The data policy asks before anything leaves, and there is no terminal to ask on.",
        "Pass --allow-remote to agree beforehand.",
    )
