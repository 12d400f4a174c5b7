from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from config.bodies import read_head
from config.peers import client_address
from messaging import nudges
from messaging.hooks.described import described
from messaging.models import InboundRaw
from messaging.receiving import Call, Fate, NowhereToKeep, receive
from messaging.receiving.call import token_digest
from messaging.text import storable


class PlainAnswer(BaseRenderer):
    media_type = "text/plain"
    format = "txt"


class AnyAccept(BaseContentNegotiation):
    """Whatever a caller says it accepts, it gets the one answer there is."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class HookView(APIView):
    """Keep a call as it came and say so; ingest reads it later.

    Nonsense gets 200 too: nothing says that the provider calls again, so what is refused may be gone for good. The
    answer to a wrong token and to a wrong address is one and the same.
    """

    authentication_classes = permission_classes = throttle_classes = parser_classes = ()
    renderer_classes = (PlainAnswer,)
    content_negotiation_class = AnyAccept
    http_method_names = ["get", "post", "head"]
    kind: InboundRaw.Kind
    body_limit: int

    def post(self, request: Request, token: str) -> HttpResponse:
        try:
            fate = receive(self._call(request._request, token))
        except NowhereToKeep:
            return HttpResponse("try again\n", status=503, content_type="text/plain", headers={"Retry-After": "5"})
        if fate is Fate.NOT_OURS:
            return not_found()
        if fate is Fate.STORED:
            nudges.digest()
        return HttpResponse("OK", content_type="text/plain", headers={"Content-Length": "2"})

    get = post

    def _call(self, request: HttpRequest, token: str) -> Call:
        meta = request.META
        body, truncated = read_head(request, self.body_limit)
        return Call(
            kind=self.kind.value,
            method=request.method or "",
            query=meta.get("QUERY_STRING", "").encode("latin-1", "replace"),  # WSGI hands bytes on as Latin-1
            content_type=storable(meta.get("CONTENT_TYPE", ""))[:200],
            body=body,
            truncated=truncated,
            peer=client_address(meta, settings.TRUSTED_PROXIES),
            token=token_digest(token),
        )


def not_found() -> HttpResponse:
    """The same for every reason."""
    return HttpResponse("not found\n", status=404, content_type="text/plain")


@described(
    "Delivery notification",
    "Called by the provider. GET query, form, multipart, JSON or the provider's own sample; always 200 `OK` once the "
    "call is durable. The first 64 KB are kept.",
)
class DnHook(HookView):
    kind = InboundRaw.Kind.DN
    body_limit = 64 * 1024


@described(
    "Incoming message",
    "Called by the provider. Any encoding; always 200 `OK` once the call is durable. The first 10 MB are kept.",
)
class MoHook(HookView):
    kind = InboundRaw.Kind.MO
    body_limit = 10 * 1024 * 1024
