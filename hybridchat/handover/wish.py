"""How the user wants a conversation handed over: its form, and what is left out of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hybridchat.errors import InputError
from hybridchat.events import HandOver, Revise

_AGAIN = "Nothing was sent or changed."


@dataclass(frozen=True, slots=True)
class Wish:
    """``turns_left_out`` counts the oldest turns that stay here; ``left_out`` names the parts that do."""

    form: HandOver = HandOver.VERBATIM
    turns_left_out: int = 0
    left_out: frozenset[str] = frozenset()

    def revised(self, revise: Revise, *, forms: Collection[HandOver], turns: int, parts: Collection[str]) -> Wish:
        """Return this wish as ``revise`` changes it, where there are ``turns`` earlier turns and these ``parts``.

        Raises ``InputError`` for what is not there; nothing is then to be changed.
        """
        form = self.form if revise.form is None else revise.form
        left_out_turns = self.turns_left_out if revise.turns_left_out is None else revise.turns_left_out
        left_out = self.left_out if revise.left_out is None else frozenset(revise.left_out)
        if revise.form is not None and form not in forms:
            raise InputError(f"{form} is not possible here; possible: {', '.join(forms)}", hint=_AGAIN)
        if not 0 <= left_out_turns <= turns:
            possible = f"0 to {turns} earlier turns can be left out" if turns else "there is no earlier turn"
            raise InputError(f"{left_out_turns} turns cannot be left out: {possible}", hint=_AGAIN)
        if unknown := left_out - set(parts):
            raise InputError(f"there is no part {min(unknown)!r} to leave out", hint=_AGAIN)
        return Wish(form, left_out_turns, left_out)
