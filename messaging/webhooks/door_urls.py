"""Where a door client is told of DNs and MOs: one URL for each, as its page has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from messaging.models import DoorClient, WebhookEndpoint
from messaging.webhooks.endpoints import create_door_endpoint, disable_endpoint, update_endpoint


def door_endpoints(door_client: DoorClient) -> QuerySet[WebhookEndpoint]:
    """Those that have not ended."""
    return door_client.endpoints.exclude(state=WebhookEndpoint.State.DISABLED)


@transaction.atomic
def set_door_urls(*, door_client: DoorClient, urls: Mapping[str, str], user: User, now: datetime) -> None:
    """`urls` by format; an empty one ends what was there. Raises BadAddress."""
    DoorClient.objects.select_for_update(no_key=True).get(pk=door_client.pk)  # one change at a time
    known = {endpoint.format: endpoint for endpoint in door_endpoints(door_client)}
    for shape, url in urls.items():
        endpoint = known.get(shape)
        if endpoint and url:
            update_endpoint(endpoint=endpoint, user=user, now=now, url=url)
        elif endpoint:
            disable_endpoint(endpoint=endpoint, user=user, now=now)
        elif url:
            create_door_endpoint(door_client=door_client, shape=shape, url=url, user=user, now=now)
