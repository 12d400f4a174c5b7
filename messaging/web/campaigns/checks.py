"""What the composer says about a text while it is being written. Pure; the services check again when it matters."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging import text
from messaging.reasons import WORDS_OF_ITS_OWN

SHOWN_LETTERS = 4
BUILT_IN = frozenset({"name", "msisdn"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a text. `tone` is error (it cannot be approved so), warning or note.

    `swap` is a letter to take out, wherever it stands, and what to put there.
    """

    tone: str
    words: str
    swap: tuple[str, str] | None = None


def text_findings(body: str, *, keys: Collection[str]) -> list[Finding]:
    """Broken placeholders, letters that cannot be sent, no words beside them, placeholders nobody has a field for."""
    broken = [
        Finding("error", _("“%s” is no placeholder. Write it like {{name}}: small letters, no blanks.") % flaw.found)
        for flaw in text.find_malformed(body)
    ]
    forbidden = [
        Finding("error", _("The character %s cannot be sent; delete it and type it again.") % flaw.name)
        for flaw in text.find_forbidden(body)
    ]
    unknown = [
        Finding("warning", _("Nobody has a field “%s”: whoever needs it will be skipped.") % name)
        for name in text.placeholders(body)
        if name not in BUILT_IN and name not in keys
    ]
    empty = [Finding("error", str(WORDS_OF_ITS_OWN))] if body and not text.has_own_words(body) else []
    return broken + forbidden + empty + unknown


def sms_findings(body: str) -> list[Finding]:
    """How many parts an SMS takes, and the letters outside the plain alphabet that make each of them shorter."""
    letters = [letter for letter in text.costly_letters(body) if letter.forces_ucs2]
    return [*_parts(body), *(_costly(letter) for letter in letters[:SHOWN_LETTERS])]


def _parts(body: str) -> list[Finding]:
    """Of the text's own letters, with what the platform puts before them in its own market."""
    size = text.sms_parts("".join(text.compile_body(body).literals), text.RM0_PREFIX_LEN)
    if not size.parts:
        return []
    parts = ngettext("%s SMS part", "%s SMS parts", size.parts) % size.parts
    counted = {"parts": parts, "used": size.units, "room": size.room}
    if text.placeholders(body):
        return [Finding("note", _("%(parts)s or more: %(used)s of %(room)s letters, and the values.") % counted)]
    return [Finding("note", _("%(parts)s: %(used)s of %(room)s letters.") % counted)]


def _costly(letter: text.CostlyLetter) -> Finding:
    costs = _("The letter %s makes each SMS part 70 letters instead of 160.") % _shown(letter.letter)
    if not letter.instead:
        return Finding("note", costs)
    words = f"{costs} {_('Write %s instead.') % _shown(letter.instead)}"
    return Finding("warning", words, (letter.letter, letter.instead))


def _shown(letter: str) -> str:
    if letter == " ":
        return _("a plain blank")
    return letter if letter.strip() else text.unicode_name(letter)
