"""GGUF files for the embedded engine: which there are, and how they come here."""
