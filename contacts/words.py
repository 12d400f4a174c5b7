"""What a person's message says about being contacted: an exact word is obeyed, what is merely near it is for staff."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from enum import Enum
from itertools import pairwise


class Wish(Enum):
    """What the person wants, as far as a machine may judge."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    ASK = "ask"


# Twilio's default list, then Malay, Chinese (both scripts) and Tamil; written without blanks, so "OPT OUT" is there too
OPT_OUT_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel"}
    | {"berhenti", "henti", "batal"}
    | {"取消", "停止", "退订", "退訂"}
    | {"நிறுத்து"}
)
OPT_IN_WORDS = frozenset({"start", "unstop", "mula", "开始", "開始"})

HINTS = ("stop", "unsub", "optout", "cancel", "berhenti", "henti", "batal", "நிறுத்த")  # a word that begins so, anywhere
CHINESE_HINTS = ("取消", "停止", "退订", "退訂")  # Chinese has no blanks
SHORT_TEXT = 3  # words; END, QUIT and REVOKE mean nothing in a longer text
LONG_WORDS = [
    word for word in sorted(OPT_OUT_WORDS) if word.isascii() and len(word) >= 6
]  # others have too many neighbours
LIKENESS = 0.85
READ_AT_MOST = 2_000  # characters


def read_wish(text: str) -> Wish | None:
    """The wish that a message states, or None for ordinary talk."""
    tokens = _tokens(text[:READ_AT_MOST])
    if _says(tokens, OPT_OUT_WORDS):
        return Wish.OPT_OUT
    if _says(tokens, OPT_IN_WORDS):
        return Wish.OPT_IN
    return Wish.ASK if _hints_at_opt_out(tokens) else None


def _tokens(text: str) -> list[str]:
    """Words in one case and width, without punctuation, emoji and invisible marks; vowel signs stay."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(_letter(character) for character in folded).split()


def _letter(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf" or "\ufe00" <= character <= "\ufe0f":  # variation selectors belong to emoji
        return ""
    return character if kind[0] in "LMN" else " "


def _says(tokens: list[str], words: frozenset[str]) -> bool:
    """The whole text is one of the words, also said twice or s p e l l e d."""
    return "".join(tokens) in words or (len(set(tokens)) == 1 and tokens[0] in words)


def _hints_at_opt_out(tokens: list[str]) -> bool:
    pairs = [first + second for first, second in pairwise(tokens)]
    if any(token.startswith(HINTS) for token in tokens) or "optout" in pairs:
        return True
    if any(hint in token for token in tokens for hint in CHINESE_HINTS):
        return True
    return len(tokens) <= SHORT_TEXT and any(_nearly(token) for token in tokens)


def _nearly(token: str) -> bool:
    """One of the words, perhaps with letters held down ("stooop") or mistyped ("unsubcribe")."""
    squeezed = re.sub(r"(.)\1+", r"\1", token)
    return (
        token in OPT_OUT_WORDS or squeezed in OPT_OUT_WORDS or bool(get_close_matches(token, LONG_WORDS, 1, LIKENESS))
    )
