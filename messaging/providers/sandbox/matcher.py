"""Whether a text is an approved one: literals as they stand, `{{name}}` for one value."""

import re

PLACEHOLDER = re.compile(r"\{\{[A-Za-z0-9_]{1,32}\}\}")
VALUE = re.compile(r"(?: ?[^ \r\n\t])* ?")  # no line break, no tab, no two blanks together
LONGEST_VALUE = 1024


class Template:
    """An approved body, cut at its placeholders."""

    __slots__ = ("literals",)

    def __init__(self, body: str) -> None:
        self.literals = PLACEHOLDER.split(one_line_end(body))

    def matches(self, text: str) -> bool:
        """Whether some choice of values gives exactly this text; every choice is tried."""
        first, *others = self.literals
        if not others:
            return text == first
        if not (text.startswith(first) and text.endswith(others[-1])):
            return False
        places = {len(first)}
        for literal in others[:-1]:
            places = {end + len(literal) for start in places for end in _value_ends(text, start, literal)}
        return any(_is_value(text, start, len(text) - len(others[-1])) for start in places)


def one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n")


def _value_ends(text: str, start: int, literal: str) -> list[int]:
    """Where a value that begins at `start` may end, with `literal` right behind it."""
    farthest = min(_run_end(text, start), start + LONGEST_VALUE)
    return [end for end in range(start + 1, farthest + 1) if text.startswith(literal, end)]


def _is_value(text: str, start: int, end: int) -> bool:
    return 1 <= end - start <= LONGEST_VALUE and end <= _run_end(text, start)


def _run_end(text: str, start: int) -> int:
    run = VALUE.match(text, start, start + LONGEST_VALUE + 1)
    return run.end() if run else start
