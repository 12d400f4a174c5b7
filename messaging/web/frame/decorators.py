"""Who may see a page."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from messaging.web.frame.rights import RIGHT_WORDS

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class HtmxRequest(HttpRequest):
    """Any request, as django-htmx's middleware hands it on."""

    htmx: HtmxDetails


class StaffRequest(HtmxRequest):
    """The request that a guarded view gets: somebody has signed in."""

    user: User


View = Callable[Concatenate[StaffRequest, P], R]
Guarded = Callable[Concatenate[HtmxRequest, P], R | HttpResponse]


def staff_required(*rights: str) -> Callable[[View[P, R]], Guarded[P, R]]:
    """Signed in, with all of these permissions (none: signed in is enough). Else the login page, or a 403 in words."""

    def decorate(view: View[P, R]) -> Guarded[P, R]:
        @wraps(view)
        def guarded(request: HtmxRequest, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            if not request.user.is_authenticated:
                return _sign_in(request)
            missing = [right for right in rights if not request.user.has_perm(right)]
            return _refuse(request, missing[0]) if missing else view(cast(StaffRequest, request), *args, **kwargs)

        return guarded

    return decorate


def _sign_in(request: HtmxRequest) -> HttpResponse:
    if not request.htmx:
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"
    return HttpResponseClientRedirect(redirect_to_login(page, resolve_url("account_login")).url)


def _refuse(request: HttpRequest, right: str) -> HttpResponse:
    return render(request, "403.html", {"needs": RIGHT_WORDS.get(right)}, status=403)
