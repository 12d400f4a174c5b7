"""Texts and placeholders: what a person types, made ready to approve, to render and to compare."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

VALUE_LIMIT = 1024  # characters a placeholder may stand for (interfaces.md, Placeholders)
MAX_PLACEHOLDERS = 50  # in one body; the matcher's work is bounded by it, and approved templates have about ten
PLACEHOLDER = re.compile(r"(?<!\{)\{\{([a-z][a-z0-9_]{0,31})\}\}(?!\})")

_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"  # tab and whatever str.splitlines breaks at
_UNFIT = re.compile(f"[{BREAKS}]|\\s\\s")
_DOUBLE_BRACES = re.compile(r"\{{2,}[^{}\n]{0,80}\}{0,9}|\}{2,}")
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # Bidi_Control=Yes
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class MissingVariable(LookupError):
    """A placeholder has no value, or a blank one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnfitVariable(ValueError):
    """A value that a placeholder cannot stand for: too long, or with a line break, a tab or two blanks together."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place in a text that a person has to mend; `position` counts characters from 0."""

    position: int
    found: str
    name: str


def normalize_body(text: str) -> str:
    """NFC, LF line ends, no blanks at the end of a line or of the text. Forbidden characters stay, to be reported."""
    lines = _LINE_END.sub("\n", unicodedata.normalize("NFC", text)).split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


def normalize_value(value: str) -> str:
    """The form in which a field's value is stored: NFC, trimmed, each run of white space one blank."""
    return " ".join(unicodedata.normalize("NFC", value).split())


def storable(text: str) -> str:
    """`text` without what no text column takes: NUL and lone surrogates."""
    return _UNSTORABLE.sub("", text)


def find_forbidden(text: str) -> list[Flaw]:
    """Controls other than line break and tab, lone surrogates and characters that turn the reading direction."""
    return [Flaw(at, char, unicode_name(char)) for at, char in enumerate(text) if _is_forbidden(char)]


def _is_forbidden(char: str) -> bool:
    return char not in "\n\t" and (unicodedata.category(char) in ("Cc", "Cs") or char in _BIDI_CONTROLS)


def unicode_name(char: str) -> str:
    """“U+00A0 NO-BREAK SPACE”, for a letter that cannot be seen."""
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


def placeholders(body: str) -> list[str]:
    """The variables of a body, each once, in order of first appearance."""
    return list(dict.fromkeys(PLACEHOLDER.findall(body)))


def find_malformed(body: str) -> list[Flaw]:
    """Double braces that are no placeholder: `{{ Name }}`, `{{1}}`, `{{name`, `name}}`, `{{{name}}}`."""
    blanked = PLACEHOLDER.sub(lambda found: " " * len(found[0]), body)
    return [Flaw(found.start(), found[0], "placeholder") for found in _DOUBLE_BRACES.finditer(blanked)]


def is_fit(value: str) -> bool:
    """Whether a placeholder can stand for `value` in an approved text."""
    return 0 < len(value) <= VALUE_LIMIT and not _UNFIT.search(value)


@dataclass(frozen=True, slots=True)
class CompiledBody:
    """A body cut at its placeholders: `literals` has one entry more than `names`, and names may repeat."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """One pass; a value is never scanned for placeholders. Raises MissingVariable or UnfitVariable."""
        pieces = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            pieces += (_fit_value(name, values), literal)
        return "".join(pieces)


def _fit_value(name: str, values: Mapping[str, str]) -> str:
    value = values.get(name) or ""
    if not value.strip():
        raise MissingVariable(name)
    if not is_fit(value):
        raise UnfitVariable(name)
    return value


@lru_cache(maxsize=512)
def compile_body(body: str) -> CompiledBody:
    """The form to render one body for many people."""
    pieces = PLACEHOLDER.split(body)
    return CompiledBody(tuple(pieces[::2]), tuple(pieces[1::2]))


def has_own_words(body: str) -> bool:
    """Whether anything stands beside the placeholders: without it whoever approves the text approves any message."""
    return any(literal.strip() for literal in compile_body(body).literals)


def render(body: str, values: Mapping[str, str]) -> str:
    """`body` with its values put in; raises MissingVariable or UnfitVariable for the first that fails."""
    return compile_body(body).render(values)


def body_sha256(body: str) -> bytes:
    """32 bytes, equal to PostgreSQL's sha256(convert_to(body, 'UTF8')); a lone surrogate raises ValueError."""
    return hashlib.sha256(body.encode()).digest()


# SMS parts. GSM 03.38 (3GPP TS 23.038) default alphabet and its extension table; letters of the latter take two units.
GSM7_LETTERS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_DOUBLE_LETTERS = frozenset("\f^{}\\[~]|€")
_GSM7_TEXT = re.compile(f"[{re.escape(''.join(GSM7_LETTERS | GSM7_DOUBLE_LETTERS))}]+")
_PART_UNITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # of one part alone, of each of several
SMS_WARN_UNITS = 960  # protocol.md section 1
RM0_PREFIX_LEN = 4  # "RM0 ", which the platform puts before an SMS to a Malaysian number (protocol.md section 1)

_SUBSTITUTES = {
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\t", " "),
    "…": "...",
    "•": "-",
    "×": "x",
}


@dataclass(frozen=True, slots=True)
class SmsParts:
    """How an SMS is cut: `units` are septets (GSM-7) or UTF-16 units (UCS-2), the platform's prefix among them."""

    encoding: str
    units: int
    parts: int

    @property
    def room(self) -> int:
        """The units that so many parts hold."""
        alone, joined = _PART_UNITS[self.encoding]
        return alone if self.parts <= 1 else joined * self.parts


@dataclass(frozen=True, slots=True)
class CostlyLetter:
    """A letter that makes an SMS dearer: it forces UCS-2, or takes two units; `instead` is a plain spelling or ""."""

    letter: str
    count: int
    forces_ucs2: bool
    instead: str


def sms_prefix_len(msisdn: str) -> int:
    """Letters that the platform puts before an SMS to this number."""
    return RM0_PREFIX_LEN if msisdn.startswith("60") else 0


def sms_parts(text: str, prefix_len: int = 0) -> SmsParts:
    """The parts that an SMS takes; an empty text takes none. No letter is ever cut in two."""
    if not text:
        return SmsParts("GSM-7", 0, 0)
    if _GSM7_TEXT.fullmatch(text):
        sizes = [2 if char in GSM7_DOUBLE_LETTERS else 1 for char in text]
        return _cut("GSM-7", [1] * prefix_len + sizes)
    sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return _cut("UCS-2", [1] * prefix_len + sizes)


def _cut(encoding: str, sizes: list[int]) -> SmsParts:
    alone, joined = _PART_UNITS[encoding]
    units = sum(sizes)
    if units <= alone:
        return SmsParts(encoding, units, 1)
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return SmsParts(encoding, units, parts)


def costly_letters(text: str) -> list[CostlyLetter]:
    """The letters outside plain GSM-7, in order of first appearance."""
    counts = Counter(char for char in text if char not in GSM7_LETTERS)
    return [
        CostlyLetter(char, count, char not in GSM7_DOUBLE_LETTERS, _SUBSTITUTES.get(char, ""))
        for char, count in counts.items()
    ]
