"""Runs the program: ``python -m hybridchat``, and the ``hybridchat`` command."""


def main() -> None:
    """Run the command line."""
    from hybridchat.cli.app import run  # noqa: PLC0415  # nothing is imported before it is needed

    run()


if __name__ == "__main__":
    main()
