"""A client's promise that two calls are one: the answer is kept in the transaction of what the call did."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db import connection as database
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from messaging.errors import Refused
from messaging.models import ApiClient, IdempotencyKey

KEPT_FOR = timedelta(days=7)
CHUNK = 5_000
# Waits for a twin that has not committed yet, as long as the timeout lets it; no row if the twin's answer stands.
CLAIM_SQL = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '5s', true))
INSERT INTO messaging_idempotencykey (client_id, digest, fingerprint, body, created_at)
SELECT %(client)s, %(digest)s, %(fingerprint)s, '', %(now)s FROM patience
ON CONFLICT (client_id, digest) DO NOTHING
RETURNING id
"""


class KeyReused(Refused):
    """The key belongs to a call with another body."""

    code = "idempotency_key_reused"


class StillRunning(Refused):
    """The first call with this key has not been answered yet."""

    code = "idempotency_still_running"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered; `replayed` if it was an earlier twin's."""

    status: int
    body: str
    replayed: bool = False


@transaction.atomic
def answer_once(*, client: ApiClient, key: str, fingerprint: bytes, now: datetime, act: Callable[[], Answer]) -> Answer:
    """`act`'s answer, or the one that an earlier call with this key got. What `act` raises is not kept.

    Raises KeyReused, StillRunning (after 5 s).
    """
    digest = hashlib.sha256(key.encode()).digest()
    claimed = _claim(client, digest, fingerprint, now)
    if claimed is None:
        return _replay(client, digest, fingerprint)
    answer = act()
    IdempotencyKey.objects.filter(pk=claimed).update(status=answer.status, body=answer.body)
    return answer


def _claim(client: ApiClient, digest: bytes, fingerprint: bytes, now: datetime) -> int | None:
    params: dict[str, Any] = {"client": client.pk, "digest": digest, "fingerprint": fingerprint, "now": now}
    with database.cursor() as cursor:
        try:
            cursor.execute(CLAIM_SQL, params)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise StillRunning(_("The first call with this Idempotency-Key is still running.")) from error
            raise
        row = cursor.fetchone()
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return row and row[0]


def _replay(client: ApiClient, digest: bytes, fingerprint: bytes) -> Answer:
    kept = IdempotencyKey.objects.get(client=client, digest=digest)
    if bytes(kept.fingerprint) != fingerprint:
        raise KeyReused(_("This Idempotency-Key was used for another call. Choose a new one for each message."))
    assert kept.status is not None  # it committed together with its answer
    return Answer(kept.status, kept.body, replayed=True)


def forget_answers(now: datetime) -> int:
    """Tick: delete what was kept for seven days."""
    total = 0
    while True:
        old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).values_list("pk", flat=True)[:CHUNK]
        gone, _by_model = IdempotencyKey.objects.filter(pk__in=list(old)).delete()
        total += gone
        if gone < CHUNK:
            return total
