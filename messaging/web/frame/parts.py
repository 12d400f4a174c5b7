"""What partials are drawn from: values in, words and numbers out. Nothing here asks the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.forms.forms import BaseForm
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from messaging.web.frame.words import duration, moment

Words = str | Promise

FRESH = timedelta(hours=6)
SOON = timedelta(hours=2)  # screens.md, Inbox: green above 6 h, amber below 2 h, red below 15 min
LAST = timedelta(minutes=15)
SEES_NUMBERS = ("contacts.change_contact", "messaging.approve_campaign", "messaging.judge_message")


@dataclass(frozen=True)
class Search:
    """The box of words in a filter bar."""

    name: str
    label: Words
    value: str = ""
    placeholder: Words = ""
    options: None = None


@dataclass(frozen=True)
class Choice:
    """One choice in a filter bar; `options` are (value, words)."""

    name: str
    label: Words
    value: str
    options: Sequence[tuple[str, Words]]


@dataclass(frozen=True)
class Sheet:
    """A question before an act, drawn as a dialog or as a page; `form` asks for more than a yes."""

    title: Words
    act: Words
    action: str
    back: str
    words: Words = ""
    danger: bool = False
    form: BaseForm | None = None


@dataclass(frozen=True)
class Piece:
    """One part of a bar; `tone` names its colour (css/sums.css, fill-*)."""

    words: Words
    count: int
    tone: str
    url: str = ""
    x: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Bar:
    """Pieces that add up to `total`."""

    title: Words
    pieces: Sequence[Piece]
    keep: bool = False  # show pieces that are nought, too
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(piece.count for piece in self.pieces))

    @property
    def shown(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.count or self.keep]

    @property
    def drawn(self) -> list[Piece]:
        """The pieces with their place on a bar 100 wide; what is there at all is wide enough to be seen."""
        seen = [piece for piece in self.pieces if piece.count]
        wide = [max(100 * piece.count / self.total, 0.6) for piece in seen]
        scale, x, placed = 100 / (sum(wide) or 1), 0.0, []
        for piece, width in zip(seen, wide, strict=True):
            placed.append(Piece(piece.words, piece.count, piece.tone, piece.url, round(x, 3), round(width * scale, 3)))
            x += width * scale
        return placed

    @property
    def equation(self) -> str:
        """“2,500 = skipped 212 + to send 868 …”."""
        return f"{self.total:,} = " + " + ".join(f"{piece.words} {piece.count:,}" for piece in self.shown)


@dataclass(frozen=True)
class Chip:
    """How long free text may still go to somebody."""

    tone: str
    icon: str
    words: Words
    ends_at: datetime | None = None

    @property
    def title(self) -> str:
        return _now("The window ends %(at)s") % {"at": moment(self.ends_at)} if self.ends_at else ""


def window_chip(ends_at: datetime | None, now: datetime | None = None) -> Chip:
    """The chip for a window that ends at `ends_at` (None: they never wrote)."""
    left = ends_at and ends_at - (now or timezone.now())
    if not left or left <= timedelta(0):
        return Chip("shut", "template", _("template only"))
    tone = "last" if left < LAST else "soon" if left < SOON else "some" if left < FRESH else "open"
    return Chip(tone, "clock", _now("%(time)s left") % {"time": duration(left)}, ends_at)


def sees_numbers(user: User | AnonymousUser) -> bool:
    """Whether this person works with whole numbers."""
    return any(user.has_perm(right) for right in SEES_NUMBERS)


def shown_number(contact: Contact, user: User | AnonymousUser) -> str:
    """The number for those who work with it; a viewer sees where it is from and its last digits."""
    number = contact.pretty_number
    if sees_numbers(user):
        return number
    return f"{number[:6]} ••• {number[-3:]}" if len(number) > 8 else "•••"


def shown_wa_id(contact: Contact, user: User | AnonymousUser) -> str:
    """The WhatsApp user id, under the same rule; it says nothing of where it is from."""
    known = contact.wa_id or ""
    return known if sees_numbers(user) else f"••• {known[-3:]}" if len(known) > 8 else "•••"
