"""What a model is sent of a conversation: as it stands, condensed, distilled, or without its documents."""

from hybridchat.handover.prompt import verbatim

__all__ = ["verbatim"]
