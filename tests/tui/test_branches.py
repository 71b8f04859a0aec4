from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hybridchat.messages import Message, Role, Status
from hybridchat.tui.branches import Branches

START = datetime(2026, 1, 1, tzinfo=UTC)


def message(name: str, parent: str | None, *, status: Status = Status.COMPLETE, at: int = 0) -> Message:
    """``u...`` is said by the user, anything else by a model."""
    role = Role.USER if name.startswith("u") else Role.ASSISTANT
    return Message(name, "c", parent, role, name.upper(), START + timedelta(seconds=at), status)


def branched(head: str) -> Branches:
    return Branches(
        [
            message("u1", None),
            message("a1", "u1", status=Status.SET_ASIDE, at=1),
            message("r1", "u1", at=2),
            message("u2", "r1", at=3),
            message("a2", "u2", at=4),
            message("a2b", "u2", at=5),
            message("u2edited", "r1", at=6),
            message("a3", "u2edited", at=7),
        ],
        head,
    )


def test_exchanges_follow_the_branch_that_the_user_stands_on() -> None:
    first, second = branched("a2").exchanges()
    assert (first.question.id, first.answer and first.answer.id) == ("u1", "r1")
    assert [other.id for other in first.others] == ["a1"]
    assert [version.id for version in second.versions] == ["u2", "u2edited"]
    assert [other.id for other in second.others] == ["a2b"]


def test_a_question_at_the_end_shows_its_last_answer_that_stands() -> None:
    (first,) = branched("u1").exchanges()
    assert first.answer is None
    assert first.shown is not None
    assert first.shown.id == "r1"


def test_an_unanswered_question_shows_nothing() -> None:
    (only,) = Branches([message("u1", None)], "u1").exchanges()
    assert (only.shown, only.others) == (None, ())


def test_an_empty_conversation_has_no_exchanges_and_no_ways() -> None:
    empty = Branches()
    assert (empty.exchanges(), empty.path(), empty.leaves(), empty.beside(1)) == ([], [], [], None)


def test_leaves_are_the_ends_of_branches_the_newest_first() -> None:
    assert [leaf.id for leaf in branched("a2").leaves()] == ["a3", "a2b", "a2"]


def test_the_parting_nearest_to_the_end_counts() -> None:
    assert branched("a2").beside(1) == "a2b"
    assert branched("a2b").beside(1) == "a2"
    assert branched("a3").beside(-1) == "a2b"


def test_a_message_that_changes_takes_its_own_place() -> None:
    branches = branched("a2")
    branches.add(message("a2", "u2", status=Status.PARTIAL))
    changed = branches.get("a2")
    assert changed is not None
    assert changed.status is Status.PARTIAL
    assert len(branches.exchanges()[1].answers) == 2


def test_the_end_below_follows_the_newest_branch_and_not_what_was_set_aside() -> None:
    branches = branched("a2")
    assert branches.end_below("u1") == "a3"
    assert branches.end_below("a2") == "a2"
