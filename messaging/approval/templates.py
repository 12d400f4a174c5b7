"""A template's way from a draft to an approved text: draft → in review → approved | returned → retired."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from messaging.approval.people import refuse_own
from messaging.approval.texts import Unfit, body_problems, sample_problems
from messaging.audit import audit
from messaging.errors import Incomplete, WrongState
from messaging.models import (
    Campaign,
    Connection,
    ProviderApproval,
    Template,
    TemplateReview,
    TemplateVersion,
)
from messaging.text import body_sha256, normalize_body, normalize_value, placeholders, storable

State = TemplateVersion.State


@transaction.atomic
def save_template(
    *,
    template: Template | None,
    name: str,
    language: str,
    purpose: str,
    body: str,
    samples: Mapping[str, str],
    user: User,
    now: datetime,
) -> Template:
    """Keep a draft (`template` None: a new one) and count its writer among the editors. Raises Unfit, WrongState."""
    body, name = normalize_body(body), normalize_value(storable(name))
    problems = body_problems(body) + ([] if name else [str(_("Give the template a name."))])
    if problems:
        raise Unfit(problems)
    template = _lock(template) if template else Template()
    _refuse_retired(template)
    template.name, template.language, template.purpose, template.body = name, language, purpose, body
    template.samples = {key: normalize_value(storable(samples.get(key) or "")) for key in placeholders(body)}
    template.editor_ids = sorted({*template.editor_ids, user.pk})
    _save_under_its_name(template)
    audit(actor=user, act="template.saved", subject=template, now=now, body=body, language=language, purpose=purpose)
    return template


@transaction.atomic
def submit_template(*, template: Template, user: User, now: datetime) -> TemplateVersion:
    """Ask for the review of the draft as it is now; from here on its text never changes."""
    template = _lock(template)
    _refuse_retired(template)
    if problems := body_problems(template.body) + sample_problems(template.body, template.samples):
        raise Unfit(problems)
    if template.versions.filter(state=State.IN_REVIEW).exists():
        raise WrongState(_("A version of this template is in review already."))
    if _is_approved_already(template):
        raise WrongState(_("This text is approved already: nothing has changed since."))
    version = TemplateVersion.objects.create(
        template=template,
        number=(template.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        language=template.language,
        purpose=template.purpose,
        body=template.body,
        samples=template.samples,
        sha256=body_sha256(template.body),
        editor_ids=sorted({*template.editor_ids, user.pk}),
        submitted_by=user,
        submitted_at=now,
    )
    audit(actor=user, act="template.submitted", subject=template, now=now, version=version.number)
    return version


@transaction.atomic
def approve_version(*, version: TemplateVersion, user: User, now: datetime) -> TemplateVersion:
    """Allow this text to leave. Older approved versions stay. Raises SelfApproval."""
    version = _lock_in_review(version)
    refuse_own(version, user)
    version.state, version.approved_by, version.decided_at = State.APPROVED, user, now
    version.save(update_fields=["state", "approved_by", "decided_at"])
    TemplateReview.objects.create(version=version, reviewer=user, decision=TemplateReview.Decision.APPROVED, at=now)
    ProviderApproval.objects.bulk_create(
        [ProviderApproval(version=version, connection=connection, at=now) for connection in Connection.objects.all()],
        ignore_conflicts=True,
    )
    audit(actor=user, act="template.approved", subject=version.template, now=now, version=version.number)
    return version


@transaction.atomic
def return_version(*, version: TemplateVersion, user: User, reason: str, now: datetime) -> TemplateVersion:
    """Send the text back to its writers, with a reason."""
    if not reason.strip():
        raise Incomplete(_("Say why: the writer needs a reason."))
    version = _lock_in_review(version)
    _return(version, user, reason.strip(), now)
    return version


@transaction.atomic
def retire_template(*, template: Template, user: User, now: datetime) -> list[Campaign]:
    """Nothing of this template leaves any more; returned are the campaigns that still name it. Twice is once."""
    template = _lock(template)
    if template.retired_at is None:
        template.retired_at = now
        template.save(update_fields=["retired_at", "updated_at"])
        for version in template.versions.filter(state=State.IN_REVIEW):
            _return(version, user, str(_("The template was retired.")), now)
        template.versions.filter(state=State.APPROVED).update(state=State.RETIRED)
        audit(actor=user, act="template.retired", subject=template, now=now)
    return list(campaigns_using(template))


def campaigns_using(template: Template) -> QuerySet[Campaign]:
    """Campaigns that still have something to send and name a version of this template."""
    over = [Campaign.State.FINISHED, Campaign.State.CANCELLED]
    return Campaign.objects.filter(template_version__template=template).exclude(state__in=over)


def _lock(template: Template) -> Template:
    return Template.objects.select_for_update(no_key=True).get(pk=template.pk)


def _lock_in_review(version: TemplateVersion) -> TemplateVersion:
    """The template first, then its version, as submitting and retiring do."""
    _lock(version.template)
    version = TemplateVersion.objects.select_for_update(no_key=True).select_related("template").get(pk=version.pk)
    if version.state != State.IN_REVIEW:
        raise WrongState(_("This version is not in review any more."))
    return version


def _return(version: TemplateVersion, user: User, reason: str, now: datetime) -> None:
    version.state, version.decided_at = State.RETURNED, now
    version.save(update_fields=["state", "decided_at"])
    TemplateReview.objects.create(
        version=version, reviewer=user, decision=TemplateReview.Decision.RETURNED, reason=reason, at=now
    )
    audit(actor=user, act="template.returned", subject=version.template, now=now, version=version.number, reason=reason)


def _refuse_retired(template: Template) -> None:
    if template.retired_at is not None:
        raise WrongState(_("This template is retired."))


def _is_approved_already(template: Template) -> bool:
    same = {"body": template.body, "language": template.language, "purpose": template.purpose}
    return template.versions.filter(state=State.APPROVED, **same).exists()


def _save_under_its_name(template: Template) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise Unfit([str(_("Another template has this name."))]) from error
        raise
