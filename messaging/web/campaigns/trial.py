"""“Send test to…”: the campaign's message to one number, with their own values or somebody's in the campaign."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from contacts.directory import upsert_contact
from contacts.models import Contact
from messaging import campaigns, nudges
from messaging.clock import db_now
from messaging.models import Campaign, Message
from messaging.web.campaigns.page import find
from messaging.web.contacts.forms import NumberField
from messaging.web.frame.answers import ask, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet, shown_number

OFFERED = 20  # people of the campaign whose values the form offers; a person's own sheet offers theirs


class SendTestForm(forms.Form):
    """Who gets the test, and whose values stand in it."""

    number = NumberField(label=_("Send to"))
    person = forms.ChoiceField(label=_("With the values of"), required=False)

    def __init__(self, *args: Any, lenders: dict[str, Contact], user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lenders = lenders
        offered = [(key, f"{contact.name} {shown_number(contact, user)}") for key, contact in lenders.items()]
        self.fields["person"].choices = [("", _("Whoever gets the test")), *offered]  # type: ignore[attr-defined]

    @property
    def lender(self) -> Contact | None:
        return self.lenders.get(self.cleaned_data["person"])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.launch_campaign")
def campaign_test(request: StaffRequest, public_id: str) -> HttpResponse:
    """GET asks to whom; POST queues it, or says why nothing would leave."""
    campaign = find(public_id)
    home = reverse("campaign_detail", args=[public_id])
    chosen = request.POST.get("person") or request.GET.get("person", "")
    form = SendTestForm(
        posted(request), initial={"person": chosen}, lenders=_lenders(campaign, chosen), user=request.user
    )
    if form.is_valid() and attempt_form(
        form, _send, campaign=campaign, msisdn=form.cleaned_data["number"], values_of=form.lender, user=request.user
    ):
        nudges.drain(campaign.connection_id)
        messages.success(request, _now("The test is on its way. Their timeline shows it, marked as a test."))
        return go(request, home)
    told = _now("It really leaves, and costs what a message costs. The report does not count it.")
    return ask(request, Sheet(_now("Send a test"), _now("Send the test"), request.path, home, told, form=form))


def _lenders(campaign: Campaign, chosen: str) -> dict[str, Contact]:
    """The campaign's first people, and the chosen one, by their message's public id."""
    rows = campaign.messages.counted().select_related("contact").order_by("contact")
    offered: list[Message] = list(rows[:OFFERED])
    if _is_uuid(chosen) and chosen not in {str(row.public_id) for row in offered}:
        offered += rows.filter(public_id=chosen)
    return {str(row.public_id): row.contact for row in offered}


def _is_uuid(raw: str) -> bool:
    try:
        return str(UUID(raw)) == raw
    except ValueError:
        return False


@transaction.atomic
def _send(*, campaign: Campaign, msisdn: str, values_of: Contact | None, user: User) -> Message:
    """A number nobody has yet becomes a contact, unless the test is refused."""
    contact, _created = upsert_contact(msisdn=msisdn)
    return campaigns.send_test(campaign=campaign, contact=contact, values_of=values_of, user=user, now=db_now())
