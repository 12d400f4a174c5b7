"""What each provider thinks of our texts: a second badge, apart from our own approval."""

from collections.abc import Iterable
from datetime import datetime

import requests
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit, history
from messaging.errors import Incomplete
from messaging.models import Connection, ProviderApproval, TemplateVersion

State = ProviderApproval.State

TEXTS_PER_POST = 100
POST_TIMEOUT_S = (1, 5)  # to connect, to answer: the twin is beside us
ITS_WORD = ("template.proved", "template.confirmed", "template.doubted")
SANDBOX_EVIDENCE = "approved (sandbox)"  # interfaces.md, Sandbox


@transaction.atomic
def confirm_at_provider(
    *, version: TemplateVersion, connection: Connection, user: User, evidence: str, now: datetime
) -> ProviderApproval:
    """A person says that the provider approved this text, and how they know."""
    if not evidence.strip():
        raise Incomplete(_("Say how you know that the provider approved it."))
    approval = ProviderApproval.objects.lock(version_id=version.pk, connection_id=connection.pk, now=now)
    approval.enter(State.APPROVED, evidence=evidence.strip(), now=now)
    audit(
        actor=user,
        act="template.confirmed",
        subject=version.template,
        now=now,
        evidence=evidence.strip(),
        version=version.number,
        connection=connection.name,
    )
    return approval


def ask_provider_again(*, connection: Connection, now: datetime) -> int:
    """Forget what this connection's provider said, as for a sandbox that starts anew; how many texts that concerns."""
    known = ProviderApproval.objects.filter(connection=connection).exclude(state=State.PENDING)
    return known.update(state=State.PENDING, evidence="", at=now)


def post_sandbox_templates(now: datetime) -> int:
    """Tell each twin the texts that it has not confirmed (no transaction may be open); how many it took."""
    return sum(_post_to(connection, now) for connection in Connection.objects.filter(kind=Connection.Kind.SANDBOX))


def _post_to(connection: Connection, now: datetime) -> int:
    versions = list(_unconfirmed(connection, now)[:TEXTS_PER_POST])
    if not versions or not _post(connection, {version.body for version in versions}):
        return 0
    for version in versions:
        _confirmed_by_twin(version, connection, now)
    return len(versions)


@transaction.atomic
def _confirmed_by_twin(version: TemplateVersion, connection: Connection, now: datetime) -> None:
    asked = ProviderApproval.objects.filter(version=version, connection=connection, state=State.PENDING)
    if not asked.update(state=State.APPROVED, evidence=SANDBOX_EVIDENCE, at=now):
        return
    place = {"version": version.number, "connection": connection.name}
    last = history(version.template).filter(act__in=ITS_WORD, detail__contains=place).last()
    if last is None or last.act != "template.proved":  # a twin that starts anew says nothing new
        audit(actor=None, act="template.proved", subject=version.template, now=now, **place)


def _unconfirmed(connection: Connection, now: datetime) -> QuerySet[TemplateVersion]:
    """Approved versions without this twin's word; those approved before the connection was made get their row here."""
    approved = TemplateVersion.objects.approved()
    strangers = approved.exclude(provider_approvals__connection=connection)
    ProviderApproval.objects.bulk_create(
        [ProviderApproval(version=version, connection=connection, at=now) for version in strangers],
        ignore_conflicts=True,
    )
    pending = ProviderApproval.objects.filter(connection=connection, state=State.PENDING)
    return approved.filter(pk__in=pending.values("version")).select_related("template").order_by("pk")


def _post(connection: Connection, texts: Iterable[str]) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                f"{connection.base_url.rstrip('/')}/sandbox/templates",
                json={"texts": sorted(texts)},
                timeout=POST_TIMEOUT_S,
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError):  # ValueError: an address that urllib3 cannot read
            return False
    return answer.status_code == requests.codes.ok
