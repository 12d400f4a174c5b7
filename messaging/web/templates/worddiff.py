"""What changed between two texts, word by word. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

TOKEN = re.compile(r"\{\{[a-z0-9_]+\}\}|\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Stretch:
    """A run of text: `same`, `added` or `removed`."""

    kind: str
    text: str


def word_diff(before: str, after: str) -> list[Stretch]:
    """Stretches in reading order; the removed ones joined with the same ones give `before`, and so for `after`."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    stretches: list[Stretch] = []
    for act, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if act == "equal":
            stretches.append(Stretch("same", "".join(old[old_from:old_to])))
            continue
        if old_to > old_from:
            stretches.append(Stretch("removed", "".join(old[old_from:old_to])))
        if new_to > new_from:
            stretches.append(Stretch("added", "".join(new[new_from:new_to])))
    return stretches
