"""A house to send from: people, two members of staff, an account at the sink, workers as `manage.py up` runs them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection as database

from bench.sink import Sink
from config.celery import app
from contacts.models import Contact, ContactList, ListMembership
from messaging import approval, campaigns, nudges, planning
from messaging.clock import db_now
from messaging.models import Campaign, Connection, ConnectionPace, Message, Template, TemplateVersion

PROCESSES, CONNECTIONS = 2, 16  # worker processes, and requests that each keeps in flight
KEY, SECRET = "bench-key", "bench-secret"
FIRST_NUMBER = 60123_000_000
BATCH = 10_000
PATIENCE_S = 900


class House:
    """Everybody is in one list."""

    def __init__(self, sink: Sink, people: int, name: str = "of everybody") -> None:
        staff = (User.objects.create_user(f"{who} {name}") for who in ("writer", "approver"))
        self.writer, self.approver = staff
        self.list = ContactList.objects.create(name=f"House {name}")
        self.first_number = FIRST_NUMBER + Contact.objects.count()
        self.people = people
        for start in range(0, people, BATCH):
            self._move_in(range(start, min(start + BATCH, people)))
        self.connection = Connection.objects.create(
            name=f"Sink {name}", kind=Connection.Kind.SANDBOX, base_url=sink.url, app_key=KEY, app_secret=SECRET,
            rate_per_s=1_000_000, max_in_flight=CONNECTIONS,
        )  # fmt: skip
        ConnectionPace.objects.create(connection=self.connection, next_at=db_now())

    def _move_in(self, numbers: range) -> None:
        new = [Contact(msisdn=f"{self.first_number + n}", name=f"Person {n}") for n in numbers]
        contacts = Contact.objects.bulk_create(new)
        ListMembership.objects.bulk_create(
            ListMembership(contact_list=self.list, contact=contact) for contact in contacts
        )

    def approved(self, text: str) -> Campaign:
        """A campaign to everybody with this text as a template, approved and ready to be launched."""
        now = db_now()
        name = f"{text[:60]} {Campaign.objects.count()}"
        campaign = campaigns.create_campaign(
            user=self.writer, now=now, name=name, connection=self.connection, template_version=self.version(text)
        )
        campaign = campaigns.edit_campaign(campaign=campaign, user=self.writer, version=0, now=now, include=[self.list])
        campaigns.submit_campaign(campaign=campaign, user=self.writer, now=now)
        planning.materialise(campaign.pk, now)
        campaign.refresh_from_db()
        return approval.approve_campaign(
            campaign=campaign, user=self.approver, plan_hash=campaign.plan_hash, now=db_now()
        )

    def version(self, text: str) -> TemplateVersion:
        template = Template.objects.filter(name=text[:80]).first()
        if template:
            return template.versions.get()
        template = approval.save_template(
            template=None, name=text[:80], language="en", purpose="service", body=text, samples={"name": "Aminah"},
            user=self.writer, now=db_now(),
        )  # fmt: skip
        version = approval.submit_template(template=template, user=self.writer, now=db_now())
        approval.approve_version(version=version, user=self.approver, now=db_now())
        version.refresh_from_db()
        return version

    def launch(self, campaign: Campaign) -> None:
        campaigns.launch_campaign(campaign=campaign, user=self.approver, now=db_now())
        campaigns.start_due(db_now())
        for _ in range(PROCESSES):
            nudges.drain(self.connection.pk)

    def wait_for(self, campaign: Campaign) -> None:
        """Return once every row is settled, all of them accepted."""
        until = time.monotonic() + PATIENCE_S
        passing = Message.objects.filter(campaign=campaign).passing()
        while passing.exists():
            if time.monotonic() > until:
                raise RuntimeError(f"not finished: {states(campaign)}")
            time.sleep(0.05)
        assert states(campaign) == {"accepted": self.people}, states(campaign)


def states(campaign: Campaign) -> dict[str, int]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT send_state, count(*) FROM messaging_message WHERE campaign_id = %s GROUP BY 1", [campaign.pk]
        )
        return dict(cursor.fetchall())


@contextmanager
def workers() -> Iterator[int]:
    """The pid of a Celery worker as `up` runs it, ready, with beat in it, which goes on with what no nudge finished."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "celery", "-q", "-A", "config", "worker", "-Q", "send", "-c", str(PROCESSES)]
        command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING", "-B"]
        with subprocess.Popen([*command, "-s", str(Path(folder) / "beat")]) as process:
            try:
                while not app.control.ping(timeout=1):
                    if process.poll() is not None:
                        raise RuntimeError("the worker did not start")
                yield process.pid
            finally:
                process.terminate()
