"""One page with every part of the frame, for whoever builds the next screen."""

from datetime import timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from messaging.statuses import Status
from messaging.web.frame.answers import ask
from messaging.web.frame.badges import status_badge
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import Page
from messaging.web.frame.parts import Bar, Choice, Piece, Search, Sheet, window_chip


class SampleForm(forms.Form):
    name = forms.CharField(label=_("Name"), help_text=_("As people see it."))
    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("service", _("Service"))], required=False)
    text = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agreed = forms.BooleanField(label=_("I have read it aloud"), required=False)


@staff_required()
def styleguide(request: StaffRequest) -> HttpResponse:
    if "sheet" in request.GET:
        return ask(request, _sheet(request))
    now = timezone.now()
    bar = Bar(
        _("Audience"),
        [
            Piece(_("Skipped"), 212, "quiet"),
            Piece(_("To send"), 868, "none"),
            Piece(_("Delivered"), 1233, "ok"),
            Piece(_("Not delivered"), 71, "bad"),
            Piece(_("No report yet"), 109, "info"),
            Piece(_("Unknown"), 7, "unsure"),
        ],
    )
    return render(
        request,
        "messaging/styleguide.html",
        {
            "statuses": [status_badge(status) for status in Status],
            "chips": [window_chip(now + timedelta(minutes=left)) for left in (600, 90, 9)] + [window_chip(None)],
            "bar": bar,
            "form": SampleForm(),
            "bad_form": SampleForm({"name": ""}, auto_id="bad_%s"),
            "filters": [
                Search("q", _("Name or number"), "", _("Aminah, 012-324…")),
                Choice("state", _("State"), "", [("", _("All")), ("draft", _("Draft"))]),
            ],
            "page": Page([1], "?before=a", "?after=b"),
            "now": now,
            "text": "Hello Aminah,\nyour appointment is on {{date}}.",
        },
    )


def _sheet(request: StaffRequest) -> Sheet:
    return Sheet(
        _("Cancel this campaign?"),
        _("Cancel 868 messages"),
        request.path,
        request.path,
        _("868 people will not get it. What was already handed to the provider goes on."),
        danger=True,
    )
