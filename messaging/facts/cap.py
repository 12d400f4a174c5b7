"""The daily cap: how many messages one person may get within 24 hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from config.statements import prepared_cursor
from contacts.models import Purpose
from messaging.facts.intended import Intended
from messaging.facts.people import Person
from messaging.models import Connection

CAP_PERIOD = timedelta(hours=24)
SENT_LATELY_SQL = """
SELECT contact_id, count(*) FROM messaging_message
WHERE contact_id = ANY (%s) AND connection_id = %s AND direction = 'mt' AND timeline_at > %s
  AND send_state IN ('sending', 'accepted', 'unknown')
GROUP BY contact_id
"""


class Cap:
    """How many more messages each person may get on the connection within 24 hours."""

    def __init__(self, people: Mapping[int, Person], connection: Connection, now: datetime) -> None:
        self.limit = connection.daily_cap
        self.sent: Counter[int] = Counter()
        if self.limit is not None:
            with prepared_cursor() as cursor:
                cursor.execute(SENT_LATELY_SQL, [list(people), connection.pk, now - CAP_PERIOD])
                self.sent.update(dict(cursor.fetchall()))

    def room(self, message: Intended) -> int | None:
        """What is left for the person; None for answers and opt-out confirmations, which no cap stops."""
        if self.limit is None or message.answers_id or message.purpose == Purpose.OPT_OUT_CONFIRMATION:
            return None
        return self.limit - self.sent[message.contact_id]
