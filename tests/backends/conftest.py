"""Fixtures that several tests of the backends share."""

from __future__ import annotations

from tests.servers.real_ollama import ollama_folder, real_ollama

__all__ = ["ollama_folder", "real_ollama"]
