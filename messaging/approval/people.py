"""Who must not approve: whoever wrote, edited or submitted the text. An API key's editor is its owner."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from messaging.errors import SelfApproval
from messaging.models import Campaign, TemplateVersion


def wrote(subject: Campaign | TemplateVersion, user: User) -> bool:
    """Whether this person had a hand in the text, so that somebody else has to approve it."""
    return user.pk in (*subject.editor_ids, subject.submitted_by_id)


def approvers(subject: Campaign | TemplateVersion, *, besides: User) -> Iterable[User]:
    """Who could approve it, by name, if `besides` submitted it as it is."""
    right = f"messaging.approve_{'campaign' if isinstance(subject, Campaign) else 'template'}"
    holders = User.objects.with_perm(right, backend="django.contrib.auth.backends.ModelBackend")
    writers = {*subject.editor_ids, besides.pk}
    return holders.exclude(pk__in=writers).order_by("first_name", "last_name", "username").distinct()


def refuse_own(subject: Campaign | TemplateVersion, user: User) -> None:
    """Raises SelfApproval."""
    if wrote(subject, user):
        raise SelfApproval(_("You wrote, edited or submitted this: somebody else has to approve it."))
