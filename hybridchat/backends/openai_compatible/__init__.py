"""Servers that speak the OpenAI chat protocol."""
