from __future__ import annotations

import itertools

import pytest

from hybridchat.messages import DataPolicy
from hybridchat.privacy.data_policy import Permission, effective, verdict

ALLOW, CONFIRM, LOCAL_ONLY = DataPolicy.ALLOW, DataPolicy.CONFIRM, DataPolicy.LOCAL_ONLY
SEND, ASK, REFUSE = Permission.SEND, Permission.ASK, Permission.REFUSE


@pytest.mark.parametrize(
    ("call", "conversation", "folder", "user", "expected"),
    [
        (None, None, None, None, CONFIRM),
        (ALLOW, None, None, None, ALLOW),
        (None, None, None, ALLOW, ALLOW),
        (ALLOW, None, None, CONFIRM, CONFIRM),
        (ALLOW, ALLOW, LOCAL_ONLY, ALLOW, LOCAL_ONLY),
        (LOCAL_ONLY, ALLOW, ALLOW, ALLOW, LOCAL_ONLY),
        (ALLOW, CONFIRM, ALLOW, ALLOW, CONFIRM),
    ],
)
def test_the_strictest_policy_that_is_set_counts(
    call: DataPolicy | None,
    conversation: DataPolicy | None,
    folder: DataPolicy | None,
    user: DataPolicy | None,
    expected: DataPolicy,
) -> None:
    assert effective(call, conversation, folder, user) is expected


@pytest.mark.parametrize(
    ("policy", "offline", "allow_remote", "can_ask", "always", "expected"),
    [
        (ALLOW, False, False, False, False, SEND),
        (ALLOW, False, False, True, False, SEND),
        (ALLOW, True, True, True, True, REFUSE),
        (CONFIRM, False, False, False, False, REFUSE),
        (CONFIRM, False, False, True, False, ASK),
        (CONFIRM, False, True, False, False, SEND),
        (CONFIRM, False, True, True, False, SEND),
        (CONFIRM, False, False, False, True, SEND),
        (CONFIRM, False, False, True, True, SEND),
        (CONFIRM, True, True, True, True, REFUSE),
        (LOCAL_ONLY, False, False, True, False, REFUSE),
        (LOCAL_ONLY, False, True, True, True, REFUSE),
        (LOCAL_ONLY, True, True, True, True, REFUSE),
    ],
)
def test_what_may_leave(
    policy: DataPolicy, offline: bool, allow_remote: bool, can_ask: bool, always: bool, expected: Permission
) -> None:
    decided = verdict(policy, offline=offline, allow_remote=allow_remote, can_ask=can_ask, always=always)
    assert decided.permission is expected
    assert decided.reason.endswith(".")
    assert bool(decided.hint) == (expected is REFUSE)


def test_the_keywords_default_to_the_safe_side() -> None:
    assert verdict(CONFIRM).permission is REFUSE


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=4)))
def test_a_stricter_policy_never_permits_more(flags: tuple[bool, bool, bool, bool]) -> None:
    offline, allow_remote, can_ask, always = flags
    order = [SEND, ASK, REFUSE]
    ranks = [
        order.index(
            verdict(policy, offline=offline, allow_remote=allow_remote, can_ask=can_ask, always=always).permission
        )
        for policy in (ALLOW, CONFIRM, LOCAL_ONLY)
    ]
    assert ranks == sorted(ranks)
