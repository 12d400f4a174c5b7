"""Klinik Mesra in Klang: its patients, its lists, who wants no messages, and texts in every state of review.

Each part looks whether it was told already, so that telling the story again changes nothing.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from contacts.consent import opt_in, opt_out
from contacts.imports.service import run_import, start_import
from contacts.models import ConsentEvent, Contact, ContactImport, ContactList
from messaging.approval import approve_version, return_version, save_template, submit_template
from messaging.demo.names import patients
from messaging.models import Template

HEADER = ["Telefon", "Nama", "Bahasa", "Branch", "Appointment date", "Appointment time"]
BRANCHES = ["Klang Utara", "Bukit Tinggi", "Kapar"]
TIMES = ["9.00", "9.30", "10.15", "11.00", "2.30", "3.45", "4.30"]
BROKEN = [["03-3371 4488", "Klinik (talian tetap)", "ms"], ["016-210", "Encik Tanpa Nombor", "ms"]]
LISTS = {  # file and list → which of the patients, by their place in the queue
    ("temujanji-minggu-ini.csv", "Appointments this week"): range(40),
    ("susulan-diabetes.csv", "Diabetes follow-up"): range(25, 50),
    ("vaksin-flu.csv", "Flu vaccine"): range(30, 60),
}


@dataclass(frozen=True)
class Draft:
    """A template of the story, and how far its review has come."""

    name: str
    language: str
    body: str
    review: str  # draft | in_review | approved | or the reason why it was returned


SAMPLES = {
    "name": "Puan Aminah",
    "branch": "Bukit Tinggi",
    "appointment_date": "30/11/2026",
    "appointment_time": "9.30",
}
DRAFTS = [
    Draft(
        "Peringatan temujanji",
        "ms",
        "Salam {{name}}, ini peringatan temujanji anda di Klinik Mesra {{branch}} pada {{appointment_date}}, "
        "jam {{appointment_time}}.\nSila balas 1 untuk sahkan atau 2 untuk tukar masa.",
        "approved",
    ),
    Draft(
        "Appointment reminder",
        "en",
        "Hello {{name}}, this is a reminder of your appointment at Klinik Mesra {{branch}} on {{appointment_date}} "
        "at {{appointment_time}}.\nReply 1 to confirm or 2 to change the time.",
        "approved",
    ),
    Draft(
        "预约提醒",
        "zh",
        "{{name}}您好，您在 Klinik Mesra {{branch}} 的预约时间是 {{appointment_date}} {{appointment_time}}。\n"
        "回复 1 确认，回复 2 改期。",
        "in_review",
    ),
    Draft(
        "Vaksin flu",
        "ms",
        "Salam {{name}}, vaksin flu kini ada di klinik kami. Datang sebelum hujung bulan!",
        "Say which branch has the vaccine: {{branch}} is in the list of patients.",
    ),
    Draft("Lab results ready", "en", "Hello {{name}}, your lab results are ready at Klinik Mesra {{branch}}.", "draft"),
    Draft(
        "சந்திப்பு நினைவூட்டல்",
        "ta",
        "வணக்கம் {{name}}, Klinik Mesra {{branch}} கிளினிக்கில் உங்கள் சந்திப்பு "
        "{{appointment_date}} அன்று {{appointment_time}} மணிக்கு.",
        "draft",
    ),
]


def tell(composer: User, approver: User, agent: User, now: datetime) -> None:
    """What is missing of the story. Commits in parts: call it outside a transaction."""
    for (file_name, list_name), places in LISTS.items():
        _import(file_name, list_name, places, composer, now)
    _consents(agent, now)
    for draft in DRAFTS:
        _template(draft, composer, approver, now)


def number_of(place: int) -> str:
    """The number of the patient at this place in the queue."""
    return f"6016{2_100_417 + place * 13_711}"


def _import(file_name: str, list_name: str, places: Sequence[int], user: User, now: datetime) -> None:
    contact_list, _created = ContactList.objects.get_or_create(name=list_name)
    if not ContactImport.objects.filter(file_name=file_name, contact_list=contact_list).exists():
        started = start_import(file=_file(places, now), file_name=file_name, contact_list=contact_list, user=user)
        run_import(started.pk)
    for unfinished in ContactImport.objects.unfinished().filter(file_name=file_name):
        run_import(unfinished.pk)


def _file(places: Sequence[int], now: datetime) -> io.BytesIO:
    out, queue = io.StringIO(), patients()
    write = csv.writer(out).writerow
    write(HEADER)
    for place in places:
        number, (name, language) = number_of(place), queue[place]
        day = timezone.localdate(now) + timedelta(days=1 + place % 5)
        branch, hour = BRANCHES[place % len(BRANCHES)], TIMES[place % len(TIMES)]
        write([f"0{number[2:4]}-{number[4:7]} {number[7:]}", name, language, branch, f"{day:%d/%m/%Y}", hour])
    for row in BROKEN if places[0] == 0 else []:
        write([*row, "", "", ""])
    return io.BytesIO(out.getvalue().encode())


@transaction.atomic
def _consents(agent: User, now: datetime) -> None:
    """One person wrote STOP, one told us on the telephone, one asked for offers."""
    if ConsentEvent.objects.filter(contact__msisdn=number_of(3)).exists():
        return
    stopped, rang, keen = (Contact.objects.get(msisdn=number_of(place)) for place in (3, 7, 11))
    staff = ConsentEvent.Source.STAFF
    opt_out(contact=stopped, source=ConsentEvent.Source.PERSON, words="STOP", now=now)
    opt_out(contact=rang, source=staff, words="Rang: no offers please", purpose="marketing", actor=agent, now=now)
    opt_in(contact=keen, source=staff, words="Ya, saya mahu tawaran", purpose="marketing", actor=agent, now=now)


@transaction.atomic
def _template(draft: Draft, composer: User, approver: User, now: datetime) -> None:
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
        now=now,
    )
    if draft.review == "draft":
        return
    version = submit_template(template=template, user=composer, now=now)
    if draft.review == "approved":
        approve_version(version=version, user=approver, now=now)
    elif draft.review != "in_review":
        return_version(version=version, user=approver, reason=draft.review, now=now)
