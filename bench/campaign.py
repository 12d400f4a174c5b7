"""A campaign from launch to its last accepted recipient, beside a plain `requests` sender with the same packing.

Both send to the same sandbox, in turn, with as many processes and threads. Ours goes the whole way: Celery worker, rule
and intent for each recipient, PostgreSQL with fsync, the outcome recorded. Delivery notifications are off.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.contrib.auth.models import User
from django.db import connection as database

from bench.figures import Pair
from config.celery import app
from contacts.models import Contact, ContactList, ListMembership
from messaging import approval, campaigns, nudges, planning
from messaging.clock import db_now
from messaging.models import Campaign, Connection, ConnectionPace, Message, Template, TemplateVersion
from messaging.providers.packing import pack, to_field

PEOPLE = 4000  # recipients a run
PROCESSES, THREADS = 2, 16
KEY, SECRET = "bench-key", "bench-secret"
TEXTS = {"identical text": "The clinic opens at nine tomorrow.", "personal text": "Dear {{name}}, see you at nine."}


def run(*, runs: int, people: int) -> None:
    """Print recipients a second for both kinds of text."""
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder)) as url, worker(Path(folder)):
        bench = Bench(url, people)
        for name, text in TEXTS.items():
            pair = Pair(f"campaign, {name}", "recipients/s")
            for _ in range(runs):
                pair.baseline.append(bench.plain(text))
                pair.ours.append(bench.ours(text))
            pair.show()


@contextmanager
def sandbox(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "messaging.providers.sandbox", "--port", "0", "--home", str(home)]
    command += ["--user", KEY, "--secret", SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        requests.post(f"{url}/sandbox/templates", json={"texts": list(TEXTS.values())}, timeout=5).raise_for_status()
        try:
            yield url
        finally:
            process.terminate()


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """A Celery worker as `up` runs it, ready, and beat, which goes on with what no nudge finished."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "config", "worker", "-Q", "send", "-c", str(PROCESSES)]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING", "-B", "-s", str(folder / "beat")]
    with subprocess.Popen(command) as process:
        try:
            while not app.control.ping(timeout=1):
                if process.poll() is not None:
                    raise RuntimeError("the worker did not start")
            yield
        finally:
            process.terminate()


class Bench:
    """People, two staff and an account on the sandbox."""

    def __init__(self, url: str, people: int) -> None:
        self.url = url
        self.contacts = _people(people)
        self.list = ContactList.objects.create(name="Everybody")
        ListMembership.objects.bulk_create(
            ListMembership(contact_list=self.list, contact=contact) for contact in self.contacts
        )
        self.writer, self.approver = _user("writer"), _user("approver")
        self.connection = Connection.objects.create(
            name="Sandbox", kind=Connection.Kind.SANDBOX, base_url=url, app_key=KEY, app_secret=SECRET,
            rate_per_s=1_000_000, max_in_flight=THREADS,
        )  # fmt: skip
        ConnectionPace.objects.create(connection=self.connection, next_at=db_now())

    def plain(self, text: str) -> float:
        """Recipients a second of the baseline, its processes started beforehand, its work packed beforehand."""
        work = [
            [to_field("whatsapp", [contact.msisdn for contact in group]), text.replace("{{name}}", group[0].name)]
            for group in self._groups(text)
        ]
        url = f"{self.url}{self.connection.send_path}"
        command = [sys.executable, "-m", "bench.plain_sender", url, KEY, SECRET, str(THREADS)]
        senders = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        time.sleep(1.0)  # imports
        began = time.monotonic()
        for index, sender in enumerate(senders):
            assert sender.stdin
            sender.stdin.write("".join(json.dumps(one) + "\n" for one in work[index::PROCESSES]))
            sender.stdin.close()
        accepted = 0
        for sender in senders:
            assert sender.stdout
            accepted += int(sender.stdout.read())
            sender.wait()
        took = time.monotonic() - began
        assert accepted == len(self.contacts), accepted
        return accepted / took

    def _groups(self, text: str) -> list[list[Contact]]:
        if "{{" in text:
            return [[contact] for contact in self.contacts]
        return list(pack("whatsapp", self.contacts, lambda contact: contact.msisdn or ""))

    def ours(self, text: str) -> float:
        """Recipients a second from launch until every row is settled."""
        campaign = self._approved(text)
        began = time.monotonic()
        campaigns.launch_campaign(campaign=campaign, user=self.approver, now=db_now())
        campaigns.start_due(db_now())
        for _ in range(PROCESSES):
            nudges.drain(self.connection.pk)
        passing = Message.objects.filter(campaign=campaign).passing()
        while passing.exists():
            if time.monotonic() - began > 300:
                raise RuntimeError(f"not finished: {_states(campaign)}")
            time.sleep(0.01)
        took = time.monotonic() - began
        assert _states(campaign) == {"accepted": len(self.contacts)}, _states(campaign)
        return len(self.contacts) / took

    def _approved(self, text: str) -> Campaign:
        now = db_now()
        name = f"{text} {Campaign.objects.count()}"
        version = self._version(text)
        campaign = campaigns.create_campaign(
            user=self.writer, now=now, name=name, connection=self.connection, template_version=version
        )
        campaign = campaigns.edit_campaign(campaign=campaign, user=self.writer, version=0, now=now, include=[self.list])
        campaigns.submit_campaign(campaign=campaign, user=self.writer, now=now)
        planning.materialise(campaign.pk, now)
        campaign.refresh_from_db()
        return approval.approve_campaign(
            campaign=campaign, user=self.approver, plan_hash=campaign.plan_hash, now=db_now()
        )

    def _version(self, text: str) -> TemplateVersion:
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


def _people(count: int) -> list[Contact]:
    return Contact.objects.bulk_create(
        [Contact(msisdn=f"6012{3_000_000 + n}", name=f"Person {n}") for n in range(count)], batch_size=1000
    )


def _user(name: str) -> User:
    return User.objects.create_user(name)


def _states(campaign: Campaign) -> dict[str, int]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT send_state, count(*) FROM messaging_message WHERE campaign_id = %s GROUP BY 1", [campaign.pk]
        )
        return dict(cursor.fetchall())
