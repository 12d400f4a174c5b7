"""Which approved templates say about what somebody has begun to write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from messaging.models import TemplateVersion

SHOWN = 3
ENOUGH = 0.2  # of the draft's words; less is chance
WORD = re.compile(r"[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]{3,}")  # a Chinese sign says as much as a word


def closest(versions: Iterable[TemplateVersion], draft: str) -> list[TemplateVersion]:
    """Up to SHOWN of them, by how much of the draft's words each has, the closest first."""
    wanted = _words(draft)
    scored = [(_share(wanted, version.body), version) for version in versions]
    near = [pair for pair in scored if pair[0] >= ENOUGH]
    return [version for _score, version in sorted(near, key=lambda pair: -pair[0])[:SHOWN]]


def _share(wanted: frozenset[str], body: str) -> float:
    return len(wanted & _words(body)) / len(wanted) if wanted else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.casefold()))
