"""Which phones the page's search finds: by digits of the number, or by words of their latest messages."""

import re
from collections.abc import Callable, Iterator

from .phones import Phones

NUMBER = re.compile(r"[\d\s()+.-]*", re.ASCII)
MOST_TEXTS = 2_000  # read from the journal for one search, the newest phones first


class Search:
    """`query` as it was typed; nothing typed finds every phone."""

    def __init__(self, query: str) -> None:
        self._words = _plain(query)
        self._digits = re.sub(r"\D", "", query) if NUMBER.fullmatch(query) else None

    def phones(self, phones: Phones, text_of: Callable[[int], str]) -> Iterator[tuple[str, int | None]]:
        """Those found, the latest first, each with the bubble in which the words stand (None: found by number)."""
        if self._digits is None:
            yield from self._by_words(phones, text_of)
        else:
            yield from ((msisdn, None) for msisdn in phones.latest() if _has(msisdn, self._digits))

    def _by_words(self, phones: Phones, text_of: Callable[[int], str]) -> Iterator[tuple[str, int]]:
        left = MOST_TEXTS
        for msisdn in phones.latest():
            for bubble in reversed(phones[msisdn].bubbles):
                if not left:
                    return
                left -= 1
                if self._words in _plain(text_of(bubble)):
                    yield msisdn, bubble
                    break


def _has(msisdn: str, digits: str) -> bool:
    """With its country or, for a Malaysian, as one dials it at home."""
    return digits in msisdn or (digits.startswith("0") and msisdn.startswith(f"6{digits}"))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
