"""Pictures of the chat's main states, on scripted models: ``python -m benchmarks.screenshots [--out FOLDER]``."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path

from tests.tui.scenes import played

STATES = ("solid-answer", "bail-out", "consent", "heat-map", "search")
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def without_foreign_fonts(svg: str) -> str:
    """Return a picture that loads nothing: Textual's export names web fonts on another host."""
    return _FONT_FACE.sub("", svg).replace("Fira Code, monospace", _FONTS).replace("https://www.textualize.io", "")


async def save(state: str, folder: Path) -> None:
    """Save the picture of ``state``."""
    async with played(state) as running:
        svg = running.app.export_screenshot(title="hybridchat", simplify=True)
    (folder / f"{state}.svg").write_text(without_foreign_fonts(svg), encoding="utf-8")


def main() -> None:
    """Save all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for state in STATES:
        asyncio.run(save(state, folder))


if __name__ == "__main__":
    main()
