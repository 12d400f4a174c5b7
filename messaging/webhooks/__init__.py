"""Webhooks out: who is told, what, and until they have it. Events are written by triggers (migration 0006)."""

from messaging.webhooks.addresses import BadAddress, check_url
from messaging.webhooks.bodies import described, outgoing
from messaging.webhooks.claiming import any_due
from messaging.webhooks.delivering import deliver
from messaging.webhooks.door_urls import door_endpoints, set_door_urls
from messaging.webhooks.endpoints import (
    BadEvents,
    create_door_endpoint,
    create_endpoint,
    disable_endpoint,
    pause_endpoint,
    resume_endpoint,
    rotate_secret,
    stopped_by_themselves,
    update_endpoint,
)
from messaging.webhooks.housekeeping import tidy
from messaging.webhooks.log import deliveries, replay, replay_range

__all__ = [
    "BadAddress",
    "BadEvents",
    "any_due",
    "check_url",
    "create_door_endpoint",
    "create_endpoint",
    "deliver",
    "deliveries",
    "described",
    "disable_endpoint",
    "door_endpoints",
    "outgoing",
    "pause_endpoint",
    "replay",
    "replay_range",
    "resume_endpoint",
    "rotate_secret",
    "set_door_urls",
    "stopped_by_themselves",
    "tidy",
    "update_endpoint",
]
