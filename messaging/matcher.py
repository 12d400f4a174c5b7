"""Which approved template a text is: the whole text against the whole body, variables standing for fit values.

The work is bounded before it begins: a text longer than the body can ever render to is refused by its length alone,
and otherwise each placeholder sweeps the text once. No regular expression backtracks over a stranger's text.
Bodies and texts are compared as they are: normalize_body is the caller's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.text import BREAKS, MAX_PLACEHOLDERS, VALUE_LIMIT, CompiledBody, compile_body

_MAX_STEPS = 20_000  # tries to find one value for a variable that stands twice, before a text counts as no match
_SHOWN = 20  # characters of each side in an explanation


def match(body: str, text: str) -> dict[str, str] | None:
    """The values with which `body` renders to `text`, earlier ones as short as possible; None if there are none."""
    parts = compile_body(body)
    if not parts.names:
        return {} if text == body else None
    return _Search(parts, text).values() if _may_match(parts.literals, text) else None


def best_match(bodies: Iterable[str], text: str) -> tuple[int, dict[str, str]] | None:
    """Index and values of the matching body with the most letters of its own; the first of equals."""
    found = [(index, body, values) for index, body in enumerate(bodies) if (values := match(body, text)) is not None]
    if not found:
        return None
    index, _body, values = max(found, key=lambda one: sum(map(len, compile_body(one[1]).literals)))
    return index, values


def _may_match(literals: Sequence[str], text: str) -> bool:
    """Cheap and necessary: length, both ends, each literal somewhere."""
    return (
        len(literals) - 1 <= MAX_PLACEHOLDERS
        and _shortest(literals) <= len(text) <= _longest(literals)
        and text.startswith(literals[0])
        and text.endswith(literals[-1])
        and all(literal in text for literal in literals)
    )


def _shortest(literals: Sequence[str]) -> int:
    return sum(map(len, literals)) + len(literals) - 1


def _longest(literals: Sequence[str]) -> int:
    return sum(map(len, literals)) + (len(literals) - 1) * VALUE_LIMIT


def _value_stops(text: str) -> list[int]:
    """For each start of a value the furthest place where it may end; they never fall from one start to the next."""
    stops = [0] * len(text) + [len(text)]
    limit, next_blank = len(text), False
    for at in range(len(text) - 1, -1, -1):
        blank = text[at].isspace()
        if text[at] in BREAKS:
            limit = at
        elif blank and next_blank:
            limit = at + 1
        stops[at] = min(limit, at + VALUE_LIMIT)
        next_blank = blank
    return stops


class _Search:
    """One text against one body. `ends[i]` are the places where value i may end so that all that follows still fits."""

    def __init__(self, parts: CompiledBody, text: str) -> None:
        self.names, self.literals, self.text = parts.names, parts.literals, text
        self.stops = _value_stops(text)
        self.ends: list[list[int]] = [[] for _name in parts.names]
        self.steps = _MAX_STEPS
        self.fits = self._sweep()

    def _sweep(self) -> bool:
        """From the last placeholder to the first; True if a value may begin right after the first literal."""
        starts = [len(self.text)]
        for index in reversed(range(len(self.names))):
            literal = self.literals[index + 1]
            self.ends[index] = [
                at - len(literal) for at in starts if at >= len(literal) and self.text.endswith(literal, 0, at)
            ]
            starts = self._starts_before(self.ends[index])
        return len(self.literals[0]) in starts

    def _starts_before(self, ends: list[int]) -> list[int]:
        """Where a value may begin that ends at one of `ends`: the next end after it is the only one to look at."""
        starts: list[int] = []
        for previous, end in pairwise([0, *ends]):
            starts += range(max(previous, bisect_left(self.stops, end)), end)
        return starts

    def values(self) -> dict[str, str] | None:
        bound: dict[str, str] = {}
        return bound if self.fits and self._place(0, len(self.literals[0]), bound) else None

    def _place(self, index: int, start: int, bound: dict[str, str]) -> bool:
        """Give a value to this placeholder and all after it; only a variable that stands twice can make it go back."""
        if index == len(self.names):
            return True
        name, fresh = self.names[index], self.names[index] not in bound
        for end in self._ends_of(index, start, bound.get(name)):
            self.steps -= 1
            if self.steps < 0:
                break
            bound[name] = self.text[start:end]
            if self._place(index + 1, end + len(self.literals[index + 1]), bound):
                return True
        if fresh:
            bound.pop(name, None)
        return False

    def _ends_of(self, index: int, start: int, value: str | None) -> list[int]:
        ends = self.ends[index]
        first, last = bisect_right(ends, start), bisect_right(ends, self.stops[start])
        if value is None:
            return ends[first:last]
        end = start + len(value)
        known = bisect_left(ends, end, first, last)
        return [end] if known < last and ends[known] == end and self.text.startswith(value, start) else []


class MismatchKind(StrEnum):
    DIFFERS = "differs"
    ENDS_EARLY = "ends_early"
    GOES_ON = "goes_on"
    EMPTY_VARIABLE = "empty_variable"
    LONG_VARIABLE = "long_variable"
    UNFIT_VARIABLE = "unfit_variable"
    UNEQUAL_VARIABLE = "unequal_variable"
    TOO_MANY_VARIABLES = "too_many_variables"


_MISMATCH_WORDS: dict[MismatchKind, Promise] = {
    MismatchKind.DIFFERS: _("Character %(place)d: the template has “%(expected)s”, the text has “%(found)s”."),
    MismatchKind.ENDS_EARLY: _(
        "The text ends after %(position)d characters, where the template goes on with “%(expected)s”."
    ),
    MismatchKind.GOES_ON: _(
        "The template ends after %(position)d characters, where the text goes on with “%(found)s”."
    ),
    MismatchKind.EMPTY_VARIABLE: _("Character %(place)d: {{%(variable)s}} has no value."),
    MismatchKind.LONG_VARIABLE: _("The value of {{%(variable)s}} is longer than 1,024 characters."),
    MismatchKind.UNFIT_VARIABLE: _(
        "Character %(place)d: the value of {{%(variable)s}} has a line break, a tab or two blanks together."
    ),
    MismatchKind.UNEQUAL_VARIABLE: _("{{%(variable)s}} stands more than once, with different values."),
    MismatchKind.TOO_MANY_VARIABLES: _("The template has more variables than can be compared."),
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first place where a text leaves a body; `position` counts from 0, `variable` stands at or just before it."""

    kind: MismatchKind
    position: int
    variable: str = ""
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        return str(_MISMATCH_WORDS[self.kind] % {"place": self.position + 1, **asdict(self)})


def explain_mismatch(body: str, text: str) -> Mismatch | None:
    """Why `text` is no rendering of `body`; None if it is one."""
    parts = compile_body(body)
    if len(parts.names) > MAX_PLACEHOLDERS:
        return Mismatch(MismatchKind.TOO_MANY_VARIABLES, 0)
    if match(body, text) is not None:
        return None
    head = parts.literals[0]
    if not text.startswith(head):
        return _differs(head, _common(head, text), text, 0)
    if not parts.names:
        return Mismatch(MismatchKind.GOES_ON, len(head), found=text[len(head) :][:_SHOWN])
    return _Explanation(parts, text[: _longest(parts.literals) + 1]).find()


def _differs(literal: str, same: int, text: str, at: int, variable: str = "") -> Mismatch:
    """`literal` stands at `at` in the text but for its letters from `same` on."""
    found = text[at + same :][:_SHOWN]
    kind = MismatchKind.DIFFERS if found else MismatchKind.ENDS_EARLY
    return Mismatch(kind, at + same, variable, literal[same:][:_SHOWN], found)


def _common(literal: str, text: str) -> int:
    """Letters that both have in common from the start."""
    return next((at for at, (one, two) in enumerate(zip(literal, text, strict=False)) if one != two), len(text))


class _Explanation:
    """Walks the text from the left, all possible starts of each value at once, until nothing fits any more."""

    def __init__(self, parts: CompiledBody, text: str) -> None:
        self.names, self.literals, self.text = parts.names, parts.literals, text
        self.stops = _value_stops(text)

    def find(self) -> Mismatch:
        starts = [len(self.literals[0])]
        for index in range(len(self.names)):
            hits = [end for end in self._ends_after(starts) if self._literal_at(index, end)]
            if not hits:
                return self._trouble(index, starts)
            starts = [end + len(self.literals[index + 1]) for end in hits]
        twice = next(name for name in self.names if self.names.count(name) > 1)
        return Mismatch(MismatchKind.UNEQUAL_VARIABLE, len(self.literals[0]), twice)

    def _ends_after(self, starts: list[int]) -> Iterable[int]:
        for start, following in pairwise([*starts, len(self.text)]):
            yield from range(start + 1, min(self.stops[start], max(following, start + 1)) + 1)

    def _literal_at(self, index: int, at: int) -> bool:
        literal, last = self.literals[index + 1], index + 1 == len(self.names)
        return self.text.startswith(literal, at) and (not last or at + len(literal) == len(self.text))

    def _trouble(self, index: int, starts: list[int]) -> Mismatch:
        name, literal = self.names[index], self.literals[index + 1]
        if self._literal_at(index, starts[0]):
            return Mismatch(MismatchKind.EMPTY_VARIABLE, starts[0], name)
        beyond = self._literal_beyond(index, starts)
        if beyond >= 0:
            return self._unfit(name, starts[bisect_left(starts, beyond) - 1])
        return self._literal_differs(name, literal, starts)

    def _literal_beyond(self, index: int, starts: list[int]) -> int:
        """Where the literal stands if a value might be anything, else -1."""
        literal = self.literals[index + 1]
        if index + 1 < len(self.names):
            return self.text.find(literal, starts[0] + 1)
        at = len(self.text) - len(literal)
        return at if at > starts[0] and self.text.endswith(literal) else -1

    def _unfit(self, name: str, start: int) -> Mismatch:
        stop = self.stops[start]
        too_long = stop - start == VALUE_LIMIT
        kind = MismatchKind.LONG_VARIABLE if too_long else MismatchKind.UNFIT_VARIABLE
        return Mismatch(kind, stop, name, found=self.text[stop:][:_SHOWN])

    def _literal_differs(self, name: str, literal: str, starts: list[int]) -> Mismatch:
        """The place that shares the most letters with the literal, found by halving: a shorter head is never rarer."""
        first, last = starts[0] + 1, self.stops[starts[-1]]
        same = bisect_left(
            range(1, len(literal) + 1), True, key=lambda size: self._head_at(literal, size, first, last) < 0
        )
        if same == 0:
            return _differs(literal, 0, self.text, last, name)
        at = self._head_at(literal, same, first, last)
        if same == len(literal):
            end = at + same
            return Mismatch(MismatchKind.GOES_ON, end, name, found=self.text[end:][:_SHOWN])
        return _differs(literal, same, self.text, at, name)

    def _head_at(self, literal: str, size: int, first: int, last: int) -> int:
        return self.text.rfind(literal[:size], first, last + size)
