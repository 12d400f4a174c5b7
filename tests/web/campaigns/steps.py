"""A campaign on its way: written, posted as its page would, settled; and its pages."""

from django.urls import reverse

from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign
from tests.factories import make_approved_version, make_request

BODY = "Hello {{name}}, the gotong-royong is on Saturday."


def write(user, connection, lists, **fields):
    campaign = campaigns.create_campaign(user=user, now=db_now(), name="Gotong-royong", connection=connection)
    texts = {"session_text": "Hi {{name}}, see you on Saturday?", "template_version": make_approved_version(BODY)}
    return campaigns.edit_campaign(
        campaign=campaign, user=user, version=0, now=db_now(), include=lists, **{"exclude": []} | texts | fields
    )


def fresh(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def url(campaign, name="campaign_detail", *more):
    return reverse(name, args=[campaign.public_id, *more])


def page(client, campaign, **query):
    return client.get(url(campaign), query).content.decode()


def as_posted(client, campaign, **changes):
    """What a browser would post: the form as the page shows it, with something changed."""
    context = client.get(url(campaign)).context
    form, counted = context["form"], context["counted"]
    values = {"seen": counted.mark} if counted else {}
    for field in form:
        if (value := field.value()) not in (None, "", False):
            values[field.html_name] = field.field.widget.format_value(value) if "_a" in field.name else value
    return {"include": values.pop("include", [])} | values | changes


def settle(running, *, delivered=0, undelivered=0, waiting=0, unknown=0, code="505"):
    """Hand over the first rows of a running campaign, with these ends."""
    rows = list(running.messages.filter(send_state="queued").select_related("contact", "connection").order_by("pk"))
    for row in rows:
        row.lane, row.reason, row.body = row.planned_lane, row.planned_reason, ""
    told = delivered + undelivered
    good, rows = rows[: told + waiting], rows[told + waiting :]
    if good:
        make_request(good, ref="17.1", text="Hi")
    for number, row in enumerate(good[:told]):
        row.delivery_state = "delivered" if number < delivered else "undelivered"
        row.error_code = "" if number < delivered else code
        row.save()
    if unknown:
        make_request(rows[:unknown], text="Hi", error="no answer")
