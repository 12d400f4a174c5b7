"""Tags and filters of the staff pages. They draw; none of them runs a query."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms, template
from django.contrib.auth.models import User
from django.db.models import Model
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from contacts.models import Contact
from messaging import staff
from messaging.text import PLACEHOLDER
from messaging.web.contacts.forms import CHANNELS, LANGUAGES
from messaging.web.frame import badges, parts, words

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of img/icons.svg; words always stand beside it, or an aria-label on its button."""
    href = f"{static('img/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"/></svg>', href)


@register.simple_tag
def crumb(label: str, name: str, *args: Any) -> SafeString:
    return format_html('<li><a href="{}">{}</a></li>', reverse(name, args=args), label)


@register.inclusion_tag("messaging/_badge.html")
def state_badge(thing: Model) -> dict[str, Any]:
    """Anything that badges.badge_of knows."""
    return {"badge": badges.badge_of(thing)}


@register.inclusion_tag("messaging/_badge.html")
def status_badge(status: str) -> dict[str, Any]:
    """For a Status word of messaging.statuses."""
    return {"badge": badges.status_badge(status)}


@register.inclusion_tag("messaging/_badge.html")
def badge(tone: str, icon: str, words: str) -> dict[str, Any]:
    return {"badge": badges.Badge(tone, icon, words)}


@register.inclusion_tag("messaging/_window_chip.html")
def window_chip(ends_at: datetime | None) -> dict[str, Any]:
    return {"chip": parts.window_chip(ends_at)}


@register.filter
def waits(nav: list[Any]) -> bool:
    """Whether something waits behind any line of the navigation."""
    return any(place.count for place in nav)


@register.simple_tag(takes_context=True)
def number(context: template.RequestContext, contact: Contact) -> str:
    """The contact's number as far as this user may see it."""
    return parts.shown_number(contact, context.request.user)


@register.simple_tag(takes_context=True)
def wa_id(context: template.RequestContext, contact: Contact) -> str:
    """The contact's WhatsApp user id as far as this user may see it."""
    return parts.shown_wa_id(contact, context.request.user)


@register.simple_tag
def when(at: datetime | None, empty: str = "–") -> str:
    """“Wed 12 Mar 14:02 · 4 min ago”; js/frame.js keeps the second half true."""
    if at is None:
        return empty
    return format_html(
        '<time class="when" datetime="{}"><span class="when__at">{}</span></time>'
        ' <span class="when__ago">· <time datetime="{}" data-ago>{}</time></span>',
        at.isoformat(), words.moment(at), at.isoformat(), _age(at),
    )  # fmt: skip


@register.simple_tag
def ago(at: datetime | None, empty: str = "–") -> str:
    """“4 min ago”, with the exact time in its title."""
    if at is None:
        return empty
    exact = date_format(timezone.localtime(at), "D j M Y H:i:s")
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', at.isoformat(), exact, _age(at))


@register.simple_tag
def clock(at: datetime | None) -> str:
    """“14:02”, with the exact time in its title."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    exact = date_format(local, "D j M Y H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, date_format(local, "H:i"))


def _age(at: datetime) -> str:
    span = timezone.now() - at
    if abs(span.total_seconds()) < 60:
        return _("just now")
    if span.total_seconds() > 0:
        return _("%(time)s ago") % {"time": _rough(span)}
    return _("in %(time)s") % {"time": words.duration(-span)}


def _rough(span: timedelta) -> str:
    """Its largest unit alone."""
    if span.days:
        return _("%s d") % span.days
    hours, minutes = divmod(span.seconds // 60, 60)
    return _("%s h") % hours if hours else _("%s min") % minutes


@register.filter
def staff_name(user: User | None) -> str:
    """What a user is called: {{ event.actor|staff_name }}."""
    return staff.staff_name(user)


@register.filter
def figure(value: object) -> str:
    """2500 → 2,500."""
    return f"{value:,}" if isinstance(value, int) else str(value)


@register.filter
def people(count: int) -> str:
    return words.people(count)


@register.filter
def marked(text: str) -> SafeString:
    """The text escaped, with placeholders that have no value marked."""
    pieces = PLACEHOLDER.split(text)
    literals = [conditional_escape(piece) for piece in pieces]
    for place in range(1, len(pieces), 2):
        literals[place] = format_html("<mark>{{{{{}}}}}</mark>", pieces[place])
    return mark_safe("".join(literals))  # noqa: S308, every piece is escaped above


@register.filter
def is_check(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def dressed(field: forms.BoundField) -> SafeString:
    """The widget with its Tabler class."""
    widget = field.field.widget
    look = "form-control"
    if isinstance(widget, forms.RadioSelect):  # and boxes to tick, which derive from it
        look = "choices"  # Django puts it on the box around them, too
    elif isinstance(widget, forms.CheckboxInput):
        look = "form-check-input"
    elif isinstance(widget, forms.Select):
        look = "form-select"
    attrs: dict[str, str | bool] = {"class": f"{look} {widget.attrs.get('class', '')}".strip()}
    if widget.attrs.get("placeholder") == field.label:
        attrs["placeholder"] = ""  # allauth says its labels twice
    return field.as_widget(attrs=attrs)


@register.simple_tag
def roles_of(user: User) -> str:
    """The user's roles in words, read once a request by the frame."""
    return getattr(user, "role_words", "")


@register.filter
def language_words(code: str) -> str:
    return str(dict(LANGUAGES).get(code, code))


@register.filter
def channel_words(channel: str) -> str:
    return str(dict(CHANNELS).get(channel, channel))


@register.filter
def money(amount: Decimal) -> str:
    """Two decimals, or as many as it has."""
    return f"{amount.quantize(Decimal('0.01')):,}" if amount == round(amount, 2) else f"{amount.normalize():,f}"
