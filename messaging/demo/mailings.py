"""The clinic's campaigns: ended in every way there is, waiting for a decision, set for tomorrow, half written."""

from datetime import datetime, timedelta

from contacts.models import ContactList
from messaging import campaigns, planning
from messaging.approval import approve_campaign
from messaging.connections import resume_connection
from messaging.demo.past import LOST, NOTHING, OK, SENT_ONLY, left_since, report, send_due
from messaging.demo.players import Cast
from messaging.demo.story import DIABETES, FLU, FLU_ARRIVED, REMINDER, WEEK, day, number_of
from messaging.models import Campaign, TemplateVersion

REMINDERS, VACCINE, CLOSED, CHECK_UP = (
    "Appointment reminders",
    "Flu vaccine has arrived",
    "Closed for a day",
    "Check-up",
)
NO_CREDIT, UNREADABLE = 402, 400  # Bulk360 WhatsApp API V3.0, "HTTP Response"
FIRST_WAVE = 16
ALL = 100
ANSWERS = {number_of(20): UNREADABLE, number_of(27): LOST}
FATES = {  # Bulk360 WhatsApp API V3.0, "Delivery Notification"
    number_of(35): "505",  # the network does not know the number, which marks it bad
    number_of(17): "501",
    number_of(22): "552",
    number_of(38): "561",  # on the carrier's list of people not to write to
    number_of(33): SENT_ONLY,
    number_of(36): NOTHING,
}


def send_reminders(cast: Cast, now: datetime) -> Campaign:
    """Finished three days ago, after half an hour without credit."""
    campaign = _approved(cast, REMINDERS, [WEEK, DIABETES], day(now, -4, "15:10"), template=REMINDER)
    launched_at = day(now, -3, "10:02")
    campaigns.launch_campaign(campaign=campaign, user=cast.composer, now=launched_at)
    campaigns.start(campaign.pk, launched_at)
    _run_out_of_credit(cast, launched_at)
    while send_due(cast.connection, at=launched_at + timedelta(minutes=31), most=ALL, answer=_answer):
        pass
    report(cast.connection, left_since(cast.connection, launched_at), FATES)
    campaigns.finish_done(launched_at + timedelta(minutes=32))
    return campaign


def _run_out_of_credit(cast: Cast, at: datetime) -> None:
    """The first wave takes what is left; an admin tops the account up and resumes the connection."""
    send_due(cast.connection, at=at, most=FIRST_WAVE, answer=_answer)
    send_due(cast.connection, at=at + timedelta(seconds=4), most=4, answer=lambda _msisdn: NO_CREDIT)
    resume_connection(connection=cast.connection, user=cast.admin, now=at + timedelta(minutes=29))


def _answer(msisdn: str) -> int:
    return ANSWERS.get(msisdn, OK)


def prepare_coming(cast: Cast, now: datetime) -> None:
    """What is still to come: one waits for its approver, one for tomorrow morning, one for its writer."""
    _submitted(cast, VACCINE, [FLU], now - timedelta(hours=2), template=FLU_ARRIVED, session_text=VACCINE_WORDS)
    tomorrow = day(now, 1, "09:00")
    words = closed_words(now)
    closed = _approved(cast, CLOSED, [WEEK], now - timedelta(minutes=100), sms_text=words, send_at=tomorrow)
    campaigns.launch_campaign(campaign=closed, user=cast.approver, now=now - timedelta(minutes=55))
    _written(cast, CHECK_UP, [DIABETES], now - timedelta(minutes=40), session_text=CHECK_UP_WORDS, until_reply=True)


VACCINE_WORDS = (
    "Hello {{name}}, the flu vaccine has arrived at Klinik Mesra {{branch}}. Reply 1 and we keep one for you!"
)
CHECK_UP_WORDS = "Hello {{name}}, it is time for your diabetes check-up. When would it suit you?"


def closed_words(now: datetime) -> str:
    """It leaves tomorrow morning, and the clinic is closed the day after: the text names the days as they fall."""
    closed, open_again = day(now, 2, "09:00"), day(now, 3, "09:00")
    return f"Klinik Mesra is closed on {closed:%A %-d %B}. We are open again on {open_again:%A} from 9.00."


def _written(
    cast: Cast, name: str, lists: list[str], at: datetime, *, template: str = "", **fields: object
) -> Campaign:
    version = TemplateVersion.objects.approved().filter(template__name=template).first()
    campaign = campaigns.create_campaign(
        user=cast.composer, now=at, name=name, connection=cast.connection, template_version=version, **fields
    )
    Campaign.objects.filter(pk=campaign.pk).update(created_at=at)  # only the clock dates it
    include = ContactList.objects.filter(name__in=lists)
    return campaigns.edit_campaign(
        campaign=campaign, user=cast.composer, version=0, now=at + timedelta(minutes=3), include=include
    )


def _submitted(cast: Cast, name: str, lists: list[str], at: datetime, **fields: object) -> Campaign:
    campaign = _written(cast, name, lists, at, **fields)  # type: ignore[arg-type]
    campaign = campaigns.submit_campaign(campaign=campaign, user=cast.composer, now=at + timedelta(minutes=12))
    planning.materialise(campaign.pk, at + timedelta(minutes=12))
    campaign.refresh_from_db()
    return campaign


def _approved(cast: Cast, name: str, lists: list[str], at: datetime, **fields: object) -> Campaign:
    campaign = _submitted(cast, name, lists, at, **fields)
    return approve_campaign(
        campaign=campaign, user=cast.approver, plan_hash=campaign.plan_hash, now=at + timedelta(minutes=37)
    )
