"""A client's own webhook endpoints, what went to them, and sending it once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from messaging import nudges, webhooks
from messaging.api import visible
from messaging.api.fields import Flag, Moment, Text, Word
from messaging.api.operations import Call, operation
from messaging.api.paging import page
from messaging.api.shapes import PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.models import EventType, Scope, WebhookDelivery, WebhookEndpoint

EVENTS = [event.value for event in EventType]
SCOPE = Scope.WEBHOOKS
ABOUT_PEOPLE = {EventType.MESSAGE_STATUS, EventType.MESSAGE_RECEIVED, EventType.CONSENT_CHANGED}


class _Settings(Shape):
    description = Text(required=False, allow_blank=True, max_length=120)


class NewEndpoint(_Settings):
    url = Text(max_length=500, help_text="https, and not in a private network")
    event_types = serializers.ListField(child=Word(choices=EVENTS), min_length=1, max_length=len(EVENTS))


class EndpointChange(_Settings):
    url = Text(required=False, max_length=500)
    event_types = serializers.ListField(
        child=Word(choices=EVENTS), required=False, min_length=1, max_length=len(EVENTS)
    )


class Stretch(Shape):
    """What happened from `since` to before `until`."""

    since = Moment()
    until = Moment()
    failed_only = Flag(required=False, default=False)


class EndpointShape(serializers.Serializer):
    """A receiver of events. `paused_because` is empty if a person or a system paused it."""

    id = serializers.UUIDField(source="public_id")
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))
    state = serializers.ChoiceField(choices=WebhookEndpoint.State.values)
    paused_because = serializers.CharField(allow_blank=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class SecretShape(serializers.Serializer):
    secret = serializers.CharField(help_text="`whsec_…`, to check signatures with; shown this once")


class NewEndpointShape(EndpointShape):
    secret = serializers.CharField(help_text="`whsec_…`, to check signatures with; shown this once")


class AttemptShape(serializers.Serializer):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    ms = serializers.IntegerField()


class DeliveryShape(serializers.Serializer):
    """One event on its way to the endpoint."""

    id = serializers.UUIDField(source="public_id")
    event = serializers.UUIDField(source="event.public_id", help_text="the `webhook-id` header")
    type = serializers.ChoiceField(source="event.type", choices=EVENTS)
    state = serializers.ChoiceField(choices=WebhookDelivery.State.values)
    tries = serializers.IntegerField()
    next_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptShape(many=True)


class ReplayedShape(serializers.Serializer):
    replayed = serializers.IntegerField()


def _find(call: Call, endpoint_id: Any) -> WebhookEndpoint:
    return get_object_or_404(call.client.endpoints, public_id=endpoint_id)


def _by(call: Call) -> dict[str, Any]:
    return {"user": call.user, "now": call.now, "client": call.client}


def _may_hear(call: Call, endpoint: WebhookEndpoint | None = None) -> None:
    """What an endpoint is or would be told of people, its key could read. Raises PermissionDenied."""
    asked = ABOUT_PEOPLE.intersection(call.body.get("event_types", endpoint.event_types if endpoint else ()))
    if EventType.CONSENT_CHANGED in asked and not visible.people(call.client):
        raise PermissionDenied(visible.NO_PEOPLE, "test_key")
    if asked and Scope.READ not in call.client.scopes:
        raise PermissionDenied(f"To hear of {', '.join(sorted(asked))} this key needs the scope read.", "scope_missing")


class WebhookEndpoints(ApiView):
    @operation("All endpoints", scope=SCOPE, query=PageQuery, answers={200: page_of(EndpointShape)})
    def get(self, call: Call) -> Response:
        return page(call.client.endpoints.all(), call, EndpointShape)

    @operation(
        "Subscribe to events",
        scope=SCOPE,
        body=NewEndpoint,
        answers={201: NewEndpointShape},
        description="Deliveries are signed as Standard Webhooks. No Idempotency-Key: the secret is kept nowhere else.",
    )
    def post(self, call: Call) -> Response:
        _may_hear(call)
        endpoint, secret = webhooks.create_endpoint(owner=call.user, now=call.now, client=call.client, **call.body)
        return Response(EndpointShape(endpoint).data | {"secret": secret}, status=201)


class WebhookEndpointDetail(ApiView):
    @operation("One endpoint", scope=SCOPE, answers={200: EndpointShape})
    def get(self, call: Call, endpoint_id: Any) -> Response:
        return Response(EndpointShape(_find(call, endpoint_id)).data)

    @operation("Change an endpoint", scope=SCOPE, body=EndpointChange, answers={200: EndpointShape})
    def patch(self, call: Call, endpoint_id: Any) -> Response:
        endpoint = _find(call, endpoint_id)
        _may_hear(call, endpoint)
        endpoint = webhooks.update_endpoint(endpoint=endpoint, **_by(call), **call.body)
        return Response(EndpointShape(endpoint).data)

    @operation(
        "End an endpoint", scope=SCOPE, answers={200: EndpointShape}, description="For good; its log stays readable."
    )
    def delete(self, call: Call, endpoint_id: Any) -> Response:
        return Response(EndpointShape(webhooks.disable_endpoint(endpoint=_find(call, endpoint_id), **_by(call))).data)


def act(name: str, summary: str, service: Callable[..., WebhookEndpoint]) -> type[ApiView]:
    """The path of one act: POST without a body."""

    @operation(summary, scope=SCOPE, answers={200: EndpointShape})
    def post(_view: ApiView, call: Call, endpoint_id: Any) -> Response:
        endpoint = service(endpoint=_find(call, endpoint_id), **_by(call))
        nudges.deliver_webhooks()
        return Response(EndpointShape(endpoint).data)

    return type(name, (ApiView,), {"post": post})


PauseEndpoint = act("PauseEndpoint", "Pause an endpoint; its events wait", webhooks.pause_endpoint)
ResumeEndpoint = act("ResumeEndpoint", "Go on with an endpoint", webhooks.resume_endpoint)


class EndpointSecret(ApiView):
    @operation(
        "Make a new secret",
        scope=SCOPE,
        answers={201: SecretShape},
        description="For 24 hours deliveries carry a signature by the old one, too.",
    )
    def post(self, call: Call, endpoint_id: Any) -> Response:
        secret = webhooks.rotate_secret(endpoint=_find(call, endpoint_id), **_by(call))
        return Response({"secret": secret}, status=201)


class Deliveries(ApiView):
    @operation("What went to an endpoint", scope=SCOPE, query=PageQuery, answers={200: page_of(DeliveryShape)})
    def get(self, call: Call, endpoint_id: Any) -> Response:
        return page(webhooks.deliveries(_find(call, endpoint_id)), call, DeliveryShape)


class DeliveryReplay(ApiView):
    @operation("Deliver one event again, with the same id", scope=SCOPE, answers={200: DeliveryShape})
    def post(self, call: Call, endpoint_id: Any, delivery_id: Any) -> Response:
        log = webhooks.deliveries(_find(call, endpoint_id))
        webhooks.replay(delivery=get_object_or_404(log, public_id=delivery_id), **_by(call))
        nudges.deliver_webhooks()
        return Response(DeliveryShape(log.get(public_id=delivery_id)).data)


class DeliveriesReplay(ApiView):
    @operation("Deliver a stretch of time again", scope=SCOPE, body=Stretch, answers={200: ReplayedShape}, once=True)
    def post(self, call: Call, endpoint_id: Any) -> Response:
        replayed = webhooks.replay_range(endpoint=_find(call, endpoint_id), **_by(call), **call.body)
        nudges.deliver_webhooks()
        return Response({"replayed": replayed})
