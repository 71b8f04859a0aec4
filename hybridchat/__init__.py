"""A terminal chat assistant that thinks on your machine first."""

__version__ = "0.1.0"
