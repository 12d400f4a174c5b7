"""Who may see a page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponseBase]


def staff_required(*rights: str) -> Callable[[View], View]:
    """Signed in, with all of these permissions (none: signed in is enough). Else the login page, or a 403 in words."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            missing = [right for right in rights if not request.user.has_perm(right)]
            return _refuse(request, missing[0]) if missing else view(request, *args, **kwargs)

        return guarded

    return decorate


def _sign_in(request: HttpRequest) -> HttpResponse:
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    return HttpResponseClientRedirect(redirect_to_login(page, resolve_url("account_login")).url)


def _refuse(request: HttpRequest, right: str) -> HttpResponse:
    app, _dot, codename = right.partition(".")
    named = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
    return render(request, "403.html", {"needs": named and named.name}, status=403)
