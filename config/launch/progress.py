"""What takes long is said when it begins, a plain line at a time, so that nobody wonders, at a terminal or in a log."""

import sys


def say(words: str) -> None:
    """On standard error: standard output is for what the command was asked for."""
    print(words, file=sys.stderr, flush=True)
