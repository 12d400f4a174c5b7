"""The few ways in which a page answers: it did it, it would not, it asks first."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

from messaging.errors import Refused
from messaging.web.frame.decorators import HtmxRequest
from messaging.web.frame.parts import Sheet, Words


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: the POST, also an empty one, else nothing."""
    return request.POST if request.method == "POST" else None


def attempt(request: HttpRequest, service: Callable[..., Any], *, done: Words = "", **arguments: Any) -> Any:
    """Call a service; say that it was done, or why not (then None is returned)."""
    try:
        outcome = service(**arguments)
    except Refused as refusal:
        messages.error(request, str(refusal.words))
        return None
    if done:
        messages.success(request, str(done))
    return True if outcome is None else outcome


def attempt_form(form: BaseForm, service: Callable[..., Any], **arguments: Any) -> Any:
    """The same, with the refusal at the fields that it is about or at the top: nothing typed is lost."""
    try:
        outcome = service(**arguments)
    except Refused as refusal:
        for name, words in refusal.detail.get("fields", {"": str(refusal.words)}).items():
            form.add_error(name if name in form.fields else None, words)
        return None
    return True if outcome is None else outcome


def in_dialog(request: HtmxRequest) -> bool:
    """Whether the answer is put into the dialog that the page keeps for that."""
    return bool(request.htmx) and request.htmx.target == "sheet"


def ask(request: HtmxRequest, sheet: Sheet) -> HttpResponse:
    """The question as a dialog's content for htmx, else as a page; 422 when its form was not right."""
    template = "messaging/_confirm.html" if in_dialog(request) else "messaging/confirm.html"
    return render(request, template, {"sheet": sheet}, status=422 if sheet.form and sheet.form.errors else 200)


def go(request: HtmxRequest, url: str) -> HttpResponse:
    """To another page, also from inside a dialog or a fragment."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
