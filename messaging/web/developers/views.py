"""What whoever connects another system needs: who is connected, what went wrong, and how it is done."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from messaging.clock import db_now
from messaging.web.developers import figures
from messaging.web.developers.examples import LANGUAGES, examples
from messaging.web.frame.decorators import StaffRequest, staff_required


@staff_required("messaging.manage_apiclient")
def developers(request: StaffRequest) -> HttpResponse:
    now = db_now()
    context = {
        "stopped": list(figures.stopped_endpoints()),
        "clients": figures.api_clients(now),
        "doors": figures.door_clients(now),
        "endpoints": figures.endpoints(),
        "host": settings.PUBLIC_URL,
    }
    return render(request, "messaging/developers.html", context)


@staff_required("messaging.manage_apiclient")
def developer_examples(request: StaffRequest) -> HttpResponse:
    asked = request.GET.get("in", "")
    chosen = asked if asked in LANGUAGES else next(iter(LANGUAGES))
    context = {"chosen": chosen, "languages": LANGUAGES.items(), "examples": examples(chosen)}
    return render(request, "messaging/developer_examples.html", context)
