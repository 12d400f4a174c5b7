"""A draft's forecast for many times at once: the strip of hours from which its writer picks one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database

from messaging.models import Campaign
from messaging.planning.audience import everyone_sql
from messaging.planning.counts import LaneCount, in_order, with_quiet_hours
from messaging.rule_sql import ROW_BY_ROW, clock, rule_sql

# Everyone is asked about at the first time, and again at each later one by which something of theirs has changed. A
# time too many costs a question and changes no answer. width_bucket counts the edges at or before a moment. The times
# stand in arrays: of a join with them the planner would expect too few people, and look them up one by one.
TIMES_SQL = """
WITH members AS ({members}), changes AS (
    SELECT contact_id, since, lead(since, 1, %(times)s) OVER one AS until, row_number() OVER one = 1 AS first
    FROM (SELECT DISTINCT contact_id, since FROM ({changes}) every WHERE since < %(times)s) once
    WINDOW one AS (PARTITION BY contact_id ORDER BY since))
SELECT contact_id, since, until, (%(edges)s::timestamptz[])[since + 1] AS at_with_margin_window,
       (%(caps)s::timestamptz[])[since + 1] AS cap_since, (%(lates)s::boolean[])[since + 1] AS late
FROM (
    SELECT members.contact_id, 0 AS since, COALESCE(changes.since, %(times)s) AS until
    FROM members LEFT JOIN changes ON changes.contact_id = members.contact_id AND changes.first
    UNION ALL SELECT contact_id, since, until FROM changes) spans
"""
WINDOWS_SQL = """
SELECT w.contact_id, width_bucket(w.last_mo_at, %(edges)s::timestamptz[]) AS since
FROM members JOIN messaging_conversation w ON w.contact_id = members.contact_id
WHERE w.connection_id = %(connection)s AND w.channel = 'whatsapp' AND w.last_mo_at >= %(first_edge)s
"""
LATE_SQL = "SELECT contact_id, %(late_since)s FROM members"
CAP_SQL = """
SELECT m.contact_id, width_bucket(m.timeline_at - interval '1 microsecond', %(caps)s::timestamptz[])
FROM members JOIN messaging_message m ON m.contact_id = members.contact_id
WHERE m.connection_id = %(connection)s AND m.direction = 'mt' AND m.timeline_at > %(first_cap)s
"""


def forecasts(*, campaign: Campaign, ats: Sequence[datetime]) -> list[list[LaneCount]]:
    """What `forecast` says for each of these times, which ascend. One statement over all its people."""
    people, params = _people(campaign, ats)
    rule = rule_sql(campaign, ats[0], people, ("since", "until"), ROW_BY_ROW, **params)
    found = [Counter[tuple[str, str]]() for _at in ats]
    with database.cursor() as cursor:
        sql = f"SELECT since, until, lane, reason, count(*) FROM ({rule.sql}) d GROUP BY 1, 2, 3, 4"
        cursor.execute(sql, rule.params)
        for since, until, lane, reason, people_of_it in cursor.fetchall():
            for counts in found[since:until]:
                counts[lane, reason] += people_of_it
    return [
        in_order(with_quiet_hours([LaneCount(*key, people) for key, people in counts.items()], campaign, at))
        for at, counts in zip(ats, found, strict=True)
    ]


def _people(campaign: Campaign, ats: Sequence[datetime]) -> tuple[str, dict[str, Any]]:
    """Everyone with the spans of times in which nothing of theirs changes."""
    members, lists = everyone_sql(campaign)
    clocks = [clock(campaign, at) for at in ats]
    edges, caps, lates = ([one[name] for one in clocks] for name in ("at_with_margin_window", "cap_since", "late"))
    changes = [WINDOWS_SQL]
    late_since = lates.index(True) if True in lates else 0
    if late_since:
        changes.append(LATE_SQL)
    if campaign.connection.daily_cap is not None:
        changes.append(CAP_SQL)
    return TIMES_SQL.format(members=members, changes=" UNION ALL ".join(changes)), {
        **lists,
        "edges": edges,
        "caps": caps,
        "lates": lates,
        "first_edge": edges[0],
        "first_cap": caps[0],
        "late_since": late_since,
        "times": len(ats),
    }
