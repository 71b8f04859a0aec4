"""The house's colours, in the dark and in the light, and a theme of the highest contrast."""

from __future__ import annotations

from textual.theme import Theme

THEMES = (
    Theme(
        name="hybridchat-dark",
        primary="#6cb6ff",
        secondary="#8ddb8c",
        accent="#f0b72f",
        warning="#f0b72f",
        error="#ff7b72",
        success="#8ddb8c",
        foreground="#d9dee5",
        background="#14171c",
        surface="#1b1f26",
        panel="#232831",
        dark=True,
    ),
    Theme(
        name="hybridchat-light",
        primary="#0a5cad",
        secondary="#1a7f37",
        accent="#9a5b00",
        warning="#9a5b00",
        error="#b3261e",
        success="#1a7f37",
        foreground="#1c2128",
        background="#fbfbf9",
        surface="#f1f1ec",
        panel="#e5e5de",
        dark=False,
    ),
    Theme(
        name="high-contrast",
        primary="#ffff00",
        secondary="#00ffff",
        accent="#00ffff",
        warning="#ffff00",
        error="#ff8080",
        success="#80ff80",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        boost="#202020",
        dark=True,
        text_alpha=1.0,
        variables={"text-muted": "#ffffff"},
    ),
)
DEFAULT = THEMES[0].name


def keep_theme(name: str) -> None:
    """Write the theme into the user's file; raises what writing a setting raises."""
    from hybridchat.config.editing import set_value  # noqa: PLC0415 -- the first frame writes no setting
    from hybridchat.config.loading import user_file_path  # noqa: PLC0415 -- the same

    set_value(user_file_path(), "chat.theme", name)
