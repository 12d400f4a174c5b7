"""Who needs no other try of a message: a campaign tries again what another one did not deliver."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from config.statements import prepared_cursor
from messaging.facts.intended import Intended
from messaging.facts.people import Person

# `{retry}` is the id of the campaign that tries again, `{first}` the one it names: a row `m` of one of the other tries,
# `k`, that reached its person, may have, or came first and may still leave. Two tries never wait for each other. What a
# person had sent a second time, not knowing of the first, may still arrive whatever became of the second.
REACHED_SQL = """
FROM messaging_campaign k JOIN messaging_message m ON m.campaign_id = k.id
WHERE (k.id = {first} OR k.retry_of_id = {first}) AND k.id <> {retry} AND (
  m.delivery_state <> 'undelivered' AND (
    m.send_state IN ('sending', 'accepted', 'unknown')
    OR k.id < {retry} AND m.send_state IN ('planned', 'queued', 'claimed', 'held', 'stuck'))
  OR m.alone AND EXISTS (
    SELECT 1 FROM messaging_requestrecipient a
    WHERE a.message_id = m.id AND a.superseded_at IS NOT NULL AND a.outcome IN ('unknown', 'accepted')))
"""
REACHED_OF_SQL = f"""
SELECT t.id, r.contact_id FROM messaging_campaign t CROSS JOIN LATERAL (
    SELECT m.contact_id {REACHED_SQL.format(first="t.retry_of_id", retry="t.id")} AND m.contact_id = ANY (%s)) r
WHERE t.id = ANY (%s)
"""


def reached(people: Mapping[int, Person], messages: Iterable[Intended]) -> Collection[tuple[int, int]]:
    """The pairs of campaign and contact that another try spares this one."""
    retries = {one.campaign.pk for one in messages if one.campaign and one.campaign.retry_of_id}
    if not retries:
        return ()
    with prepared_cursor() as cursor:
        cursor.execute(REACHED_OF_SQL, [list(people), list(retries)])
        return set(cursor.fetchall())
