"""What the rule looks at, read from the database for many messages at once, and their texts with the values put in."""

from messaging.facts.bodies import Bodies, render_lanes
from messaging.facts.cap import CAP_PERIOD
from messaging.facts.consents import opted_out
from messaging.facts.people import Person, load_people, placeholder_values
from messaging.facts.prepared import Prepared, prepare, quiet_hours
from messaging.facts.tries import REACHED_SQL

__all__ = [
    "CAP_PERIOD",
    "REACHED_SQL",
    "Bodies",
    "Person",
    "Prepared",
    "load_people",
    "opted_out",
    "placeholder_values",
    "prepare",
    "quiet_hours",
    "render_lanes",
]
