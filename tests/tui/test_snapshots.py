"""The screen's main states as text, in snapshots/: what stands where, and in which style.

HYBRIDCHAT_TEST_UPDATE=1 writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App

from tests.tui.scenes import SCENES, played

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = os.environ.get("HYBRIDCHAT_TEST_UPDATE") == "1"  # before a fixture takes the variables of ours away


def picture(app: App[None]) -> str:
    """Return the rows of the screen, and below them each piece of text that does not look like the rest."""
    strips = app.screen._compositor.render_strips()
    rows = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
    styled = [
        f"{number:>3} {described}: {segment.text.strip()}"
        for number, strip in enumerate(strips)
        for segment in Segment.simplify(strip)
        if segment.text.strip() and (described := look(segment.style))
    ]
    return "\n".join([*rows, "", *styled, ""])


def look(style: Style | None) -> str:
    if style is None:
        return ""
    marks = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    colour = style.color.name if style.color else "default"
    ground = style.bgcolor.name if style.bgcolor else "default"
    return " ".join([*marks, f"{colour} on {ground}"])


@pytest.mark.parametrize("name", SCENES)
async def test_the_screen_looks_as_it_did(name: str) -> None:
    async with played(name) as running:
        shown = picture(running.app)
    kept = SNAPSHOTS / f"{name}.txt"
    if UPDATE:
        kept.write_text(shown, encoding="utf-8")
    assert shown == kept.read_text(encoding="utf-8"), "HYBRIDCHAT_TEST_UPDATE=1 keeps what is shown now"


def test_every_snapshot_has_its_state() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == set(SCENES)
