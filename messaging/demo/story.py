"""Klinik Mesra in Klang: its patients, its lists, what they agreed to, and texts in every state of review.

Each part looks whether it was told already, so that telling the story again changes nothing.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from contacts.imports.choosing import receive
from contacts.imports.service import run_import, start_import
from contacts.models import ConsentEvent, Contact, ContactImport, ContactList, ListMembership, Purpose
from messaging import people
from messaging.approval import approve_version, retire_template, return_version, save_template, submit_template
from messaging.demo.names import patients
from messaging.models import Template

HEADER = ["Telefon", "Nama", "Bahasa", "Branch", "Appointment date", "Appointment time"]
BRANCHES = ["Klang Utara", "Bukit Tinggi", "Kapar"]
TIMES = ["9.00", "9.30", "10.15", "11.00", "2.30", "3.45", "4.30"]
BROKEN = [["03-3371 4488", "Klinik (talian tetap)", "ms"], ["016-210", "Encik Tanpa Nombor", "ms"]]
WEEK, DIABETES, FLU = "Appointments this week", "Diabetes follow-up", "Flu vaccine"
LISTS = {  # file and list → which of the patients, by their place in the queue, and how many days ago
    ("temujanji-minggu-ini.csv", WEEK): (range(40), 9),
    ("susulan-diabetes.csv", DIABETES): (range(25, 50), 8),
    ("vaksin-flu.csv", FLU): (range(30, 60), 1),
}
WALK_INS = "kaunter-vaksin.csv"  # typed at the counter: no heading says which column is the number
WALK_IN_ROWS = [
    ["Pelanggan", "Hubungi", "Cawangan", "Catatan"],
    ["Encik Rashid bin Omar", "016-311 2046", "Kapar", "datang petang"],
    ["Puan Saraswathy", "016-311 2173", "Bukit Tinggi", "dengan dua anak"],
    ["Cik Ong Bee Leng", "016-311 2359", "Klang Utara", ""],
    ["Encik Jalil", "016-311 2488", "Kapar", "tanya harga"],
]
LAST = 59  # the last place
NO_TIME = 44  # the place of the patient whose appointment has no time yet


@dataclass(frozen=True)
class Draft:
    """A template of the story, and how far its review has come."""

    name: str
    language: str
    body: str
    review: str  # draft | in_review | approved | retired | or the reason why it was returned
    days_ago: int


SAMPLES = {
    "name": "Puan Aminah",
    "branch": "Bukit Tinggi",
    "appointment_date": "30/11/2026",
    "appointment_time": "9.30",
}
REMINDER, FLU_ARRIVED = "Appointment reminder", "Flu vaccine has arrived"
DRAFTS = [
    Draft(
        "Peringatan temujanji",
        "ms",
        "Salam {{name}}, ini peringatan temujanji anda di Klinik Mesra {{branch}} pada {{appointment_date}}, "
        "jam {{appointment_time}}.\nSila balas 1 untuk sahkan atau 2 untuk tukar masa.",
        "approved",
        9,
    ),
    Draft(
        REMINDER,
        "en",
        "Hello {{name}}, this is a reminder of your appointment at Klinik Mesra {{branch}} on {{appointment_date}} "
        "at {{appointment_time}}.\nReply 1 to confirm or 2 to change the time.",
        "approved",
        9,
    ),
    Draft(
        FLU_ARRIVED,
        "en",
        "Hello {{name}}, the flu vaccine has arrived at Klinik Mesra {{branch}}.\n"
        "Reply 1 and we keep one for you, or 2 to ask the doctor first.",
        "approved",
        2,
    ),
    Draft(
        "Notis waktu Ramadan",
        "ms",
        "Klinik Mesra {{branch}} dibuka dari jam 9.00 pagi hingga 5.00 petang sepanjang Ramadan.",
        "retired",
        9,
    ),
    Draft(
        "预约提醒",
        "zh",
        "{{name}}您好，您在 Klinik Mesra {{branch}} 的预约时间是 {{appointment_date}} {{appointment_time}}。\n"
        "回复 1 确认，回复 2 改期。",
        "in_review",
        1,
    ),
    Draft(
        "Vaksin flu",
        "ms",
        "Salam {{name}}, vaksin flu kini ada di klinik kami. Datang sebelum hujung bulan!",
        "Say which branch has the vaccine: {{branch}} is in the list of patients.",
        4,
    ),
    Draft(
        "Lab results ready",
        "en",
        "Hello {{name}}, your lab results are ready at Klinik Mesra {{branch}}.",
        "draft",
        2,
    ),
    Draft(
        "சந்திப்பு நினைவூட்டல்",
        "ta",
        "வணக்கம் {{name}}, Klinik Mesra {{branch}} கிளினிக்கில் உங்கள் சந்திப்பு "
        "{{appointment_date}} அன்று {{appointment_time}} மணிக்கு.",
        "draft",
        1,
    ),
]


def tell(composer: User, approver: User, agent: User, now: datetime) -> None:
    """What is missing of the story. Commits in parts: call it outside a transaction."""
    for (file_name, list_name), (places, days_ago) in LISTS.items():
        _import(file_name, list_name, places, composer, now, day(now, -days_ago, "16:20"))
    _waiting_import(composer, day(now, -1, "17:35"))
    _consents(agent, now)
    for draft in DRAFTS:
        _template(draft, composer, approver, day(now, -draft.days_ago, "17:05"))


def number_of(place: int) -> str:
    """The number of the patient at this place in the queue."""
    return f"6016{2_100_417 + place * 13_711}"


def day(now: datetime, days: int, clock: str) -> datetime:
    """That time of the clinic's clock so many days from today."""
    hour, minute = map(int, clock.split(":"))
    return (timezone.localtime(now) + timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0)


def _import(file_name: str, list_name: str, places: Sequence[int], user: User, now: datetime, at: datetime) -> None:
    contact_list, _created = ContactList.objects.get_or_create(name=list_name)
    if not ContactImport.objects.filter(file_name=file_name, contact_list=contact_list).exists():
        started = start_import(file=_file(places, now), file_name=file_name, contact_list=contact_list, user=user)
        run_import(started.pk)
        _date_back(started, contact_list, at)
    for unfinished in ContactImport.objects.unfinished().filter(file_name=file_name):
        run_import(unfinished.pk)


def _waiting_import(user: User, at: datetime) -> None:
    """A file that waits until somebody says which of its columns is what."""
    if ContactImport.objects.filter(file_name=WALK_INS).exists():
        return
    file, flu = _csv(WALK_IN_ROWS), ContactList.objects.get(name=FLU)
    waiting = receive(file=file, file_name=WALK_INS, contact_list=flu, user=user)
    ContactImport.objects.filter(pk=waiting.pk).update(created_at=at)


def _date_back(started: ContactImport, contact_list: ContactList, at: datetime) -> None:
    """Only the clock dates an import and what it made; no service takes another time."""
    ContactImport.objects.filter(pk=started.pk).update(
        created_at=at, started_at=at, finished_at=at + timedelta(seconds=2)
    )
    ContactList.objects.filter(pk=contact_list.pk).update(created_at=at)
    contact_list.members.filter(created_at__gte=started.created_at).update(created_at=at, updated_at=at)
    ListMembership.objects.filter(contact_list=contact_list).update(added_at=at)


def _file(places: Sequence[int], now: datetime) -> io.BytesIO:
    queue, rows = patients(), [HEADER]
    for place in places:
        number, (name, language) = number_of(place), queue[place]
        date = timezone.localdate(now) + timedelta(days=1 + place % 5)
        branch, hour = BRANCHES[place % len(BRANCHES)], TIMES[place % len(TIMES)] if place != NO_TIME else ""
        rows.append([f"0{number[2:4]}-{number[4:7]} {number[7:]}", name, language, branch, f"{date:%d/%m/%Y}", hour])
    rows += [[*row, "", "", ""] for row in BROKEN if places[-1] == LAST]
    return _csv(rows)


def _csv(rows: Iterable[Sequence[str]]) -> io.BytesIO:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return io.BytesIO(out.getvalue().encode())


@transaction.atomic
def _consents(agent: User, now: datetime) -> None:
    """One told us on the telephone, one asked for offers; who writes STOP does so in `talks`."""
    if ConsentEvent.objects.filter(contact__msisdn=number_of(7)).exists():
        return
    rang, keen = (Contact.objects.get(msisdn=number_of(place)) for place in (7, 11))
    marketing = Purpose.MARKETING
    people.opt_out(
        contact=rang, words="Rang: no offers please", user=agent, now=day(now, -7, "10:12"), purpose=marketing
    )
    people.opt_in(
        contact=keen, words="Yes, tell me about offers", user=agent, now=day(now, -7, "15:40"), purpose=marketing
    )


@transaction.atomic
def _template(draft: Draft, composer: User, approver: User, at: datetime) -> None:
    if Template.objects.filter(name=draft.name).exists():
        return
    template = save_template(
        template=None,
        name=draft.name,
        language=draft.language,
        purpose="service",
        body=draft.body,
        samples=SAMPLES,
        user=composer,
        now=at,
    )
    Template.objects.filter(pk=template.pk).update(created_at=at, updated_at=at)
    if draft.review == "draft":
        return
    version = submit_template(template=template, user=composer, now=at + timedelta(minutes=4))
    decided_at = at + timedelta(minutes=50)
    if draft.review in ("approved", "retired"):
        approve_version(version=version, user=approver, now=decided_at)
    elif draft.review != "in_review":
        return_version(version=version, user=approver, reason=draft.review, now=decided_at)
    if draft.review == "retired":
        retire_template(template=template, user=approver, now=at + timedelta(days=2))
