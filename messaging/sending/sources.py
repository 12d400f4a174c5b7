"""What claimed rows point at, as it is in this instant: their connection, campaigns, template versions, MOs.

Of thousands of gates in a row nearly all find what the gate before found, and making objects of it again costs more
than all else that a small wave asks the database. So an object is kept for as long as its row is the same version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from config.statements import prepared_cursor
from messaging.models import Campaign, Connection, Message, TemplateVersion
from messaging.sending.due import Due

KEPT = 200  # objects of a kind

# A row's version: where it lies and which transaction wrote it; read anew in every session, whatever was restored.
VERSION = "concat_ws(' ', pg_backend_pid(), xmin, ctid)"
VERSIONS_SQL = f"""
SELECT 'connection', id, {VERSION} FROM messaging_connection WHERE id = %(connection)s
UNION ALL
SELECT 'campaign', id, {VERSION} FROM messaging_campaign WHERE id = ANY (%(campaigns)s)
UNION ALL
SELECT 'template', id, {VERSION} FROM messaging_templateversion
WHERE id = ANY (%(templates)s)
   OR id = ANY (ARRAY (SELECT template_version_id FROM messaging_campaign WHERE id = ANY (%(campaigns)s)))
"""

Row = TypeVar("Row", Campaign, Connection, TemplateVersion)


class _Kept(Generic[Row]):
    """The objects of one model that this process has read, each with the version of its row."""

    def __init__(self, model: type[Row]) -> None:
        self.model: type[Row] = model
        self.rows: dict[int, tuple[str, Row]] = {}

    def now(self, versions: Mapping[int, str]) -> dict[int, Row]:
        """The objects of these rows; those whose version is another one are read again."""
        changed = [pk for pk, version in versions.items() if pk not in self.rows or self.rows[pk][0] != version]
        if changed:
            if len(self.rows) > KEPT:
                self.rows, changed = {}, list(versions)
            found = self.model._default_manager.in_bulk(changed)
            self.rows |= {pk: (versions[pk], one) for pk, one in found.items()}
        return {pk: self.rows[pk][1] for pk in versions}


_connections, _campaigns, _versions = _Kept(Connection), _Kept(Campaign), _Kept(TemplateVersion)


def load_sources(messages: Sequence[Due], connection_id: int) -> Connection:
    """Give each message what it points at; their connection."""
    campaign_ids = {pk for one in messages for pk in (one.campaign_id, one.test_of_id) if pk}
    template_ids = {one.template_version_id for one in messages if one.template_version_id}
    versions: dict[str, dict[int, str]] = {"connection": {}, "campaign": {}, "template": {}}
    with prepared_cursor() as cursor:
        cursor.execute(
            VERSIONS_SQL,
            {"connection": connection_id, "campaigns": list(campaign_ids), "templates": list(template_ids)},
        )
        for kind, pk, version in cursor.fetchall():
            versions[kind][pk] = version
    connection = _connections.now(versions["connection"])[connection_id]
    templates = _versions.now(versions["template"])
    campaigns = _campaigns.now(versions["campaign"])
    for campaign in campaigns.values():
        campaign.connection = connection
        campaign.template_version = templates.get(campaign.template_version_id or 0)
    answer_ids = {one.answers_id for one in messages if one.answers_id}
    answers = Message.objects.in_bulk(answer_ids) if answer_ids else {}
    for one in messages:
        one.connection = connection
        one.campaign = campaigns.get(one.campaign_id or 0)
        one.test_of = campaigns.get(one.test_of_id or 0)
        one.template_version = templates.get(one.template_version_id or 0)
        one.answers = answers.get(one.answers_id or 0)
    return connection
