"""The full-screen chat: what the engine tells, drawn with Textual."""
