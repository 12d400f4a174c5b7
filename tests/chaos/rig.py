"""One run of the product with everything it needs, all of it in processes that a scenario may break."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import requests
from django.core.management import call_command
from django.db import Error, connections

from config.celery import app
from config.launch import process
from contacts.models import Contact
from messaging.clock import db_now
from messaging.connections import create_connection, hook_urls
from messaging.models import Campaign, Connection, Message
from tests.chaos import children, sums
from tests.chaos.checker import Verdict, examine
from tests.chaos.children import Child
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.proxies import Wire
from tests.chaos.sandbox import KEY, SECRET, Sandbox
from tests.chaos.servers import Servers
from tests.factories import make_approved_version, make_running_campaign

Line = dict[str, Any]  # of the ledger
PERSONAL, PLAIN = "Dear {{name}}, see you at nine.", "The clinic opens at nine tomorrow."
POLL_S, START_S = 0.05, 90
RATE_PER_S = 10_000  # the pace is not what these scenarios are about
CELERY = ("-m", "celery", "-A", "config", "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO")
GUNICORN = ("-c", "python:config.serving", "-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket")
GUNICORN += ("--limit-request-line", "8190")


class Rig:
    """What a scenario is given: servers, sandbox, product processes, campaigns, and a list for what it finds."""

    def __init__(self, servers: Servers, *, seed: int, scale: float) -> None:
        self.servers, self.database, self.broker = servers, servers.database, servers.broker
        self.seed, self.scale = seed, scale
        self.chance = random.Random(seed)
        self.findings: list[str] = []
        self.samples = sums.Samples()
        self.sandbox = Sandbox(servers.home / "sandbox")
        self.children: list[Child] = []
        self._wires: list[Wire] = []
        self._web: socket.socket | None = None
        self.database.on_start = connections.close_all

    def begin(self) -> None:
        """The sandbox, and a connection to it that may send."""
        self.sandbox.start()
        self.connection, self.hook_token = create_connection(
            name="Sandbox", kind=Connection.Kind.SANDBOX, base_url=self.sandbox.url, app_key=KEY, app_secret=SECRET,
            rate_per_s=RATE_PER_S, user=None, now=db_now(),
        )  # fmt: skip

    def end(self) -> None:
        for child in self.children:
            child.kill()
        for wire in self._wires:
            wire.stop()
        self.sandbox.stop()
        if self._web:
            self._web.close()

    def size(self, full: int, *, least: int = 1) -> int:
        """`full` at the scale of this run."""
        return max(least, round(full * self.scale))

    # what a scenario finds

    def expect(self, holds: object, words: str) -> None:
        """Note a finding unless it holds; the run goes on."""
        if not holds:
            self.findings.append(words)

    def verdict(
        self, campaigns: Campaign | Iterable[Campaign], *, only: Callable[[Line], bool] = bool, **allowed: Any
    ) -> Verdict:
        """Compare the ledger with the rows; what is wrong in any run is a finding (checker.Verdict.problems)."""
        several = [campaigns] if isinstance(campaigns, Campaign) else list(campaigns)
        verdict = examine(several, list(filter(only, self.sandbox.ledger())), self.samples)
        self.findings += verdict.problems(**allowed)
        return verdict

    # campaigns

    def contacts(self, count: int) -> list[Contact]:
        first = Contact.objects.count()
        rows = (Contact(msisdn=f"6012{3_000_000 + n}", name=f"Person {n}") for n in range(first, first + count))
        return Contact.objects.bulk_create(rows, batch_size=2_000)

    def campaign(
        self, people: int | Iterable[Contact], *, text: str = PERSONAL, by: Connection | None = None, **fields: Any
    ) -> Campaign:
        """A running campaign by template; nothing is sent before there is a worker."""
        contacts = self.contacts(people) if isinstance(people, int) else people
        fields = {"template_version": make_approved_version(text), "session_text": ""} | fields
        self.sandbox.tell("templates", texts=[text])
        campaign = make_running_campaign(by or self.connection, contacts, **fields)
        self.samples.watch(campaign)
        return campaign

    # product processes

    def workers(self, count: int, *, database: Wire | None = None) -> Fleet:
        """`manage.py drain --forever`, `count` times, forked from here: a killed one is back at once."""
        return Fleet(count, lambda: self.fork("worker", lambda: _drain_forever(database)))

    def fork(self, name: str, work: Callable[[], object]) -> Child:
        """Do `work` in a child with the product imported and no open connection."""
        connections.close_all()
        return self._kept(children.fork(name, work, log=self.servers.home / f"{name}.log"))

    def python(self, name: str, *argv: str, fds: Iterable[int] = (), **env: str) -> Child:
        """A process of its own, `env` over the run's."""
        log = self.servers.home / f"{name}.log"
        return self._kept(children.python(name, *argv, log=log, env=os.environ | env, fds=list(fds)))

    def manage(self, name: str, *command: str, **env: str) -> Child:
        return self.python(name, "manage.py", *command, **env)

    def celery(self, queues: str = "send", *, processes: int = 2, name: str = "", **env: str) -> Child:
        name = name or queues.partition(",")[0]
        return self.python(name, *CELERY, "-Q", queues, "-c", str(processes), "-n", f"{name}@%h", **env)

    def beat(self, name: str = "beat", **env: str) -> Child:
        schedule = {"CELERY_BEAT_FILE": str(self.servers.home / name)}
        return self.python(name, "-m", "celery", "-A", "config", "beat", **schedule | env)

    def web(self, **env: str) -> Child:
        """gunicorn on a port that outlives it, with the hooks told to the sandbox."""
        if self._web is None:
            self._web = socket.create_server(("127.0.0.1", 0), backlog=1024)
        child = self.python(
            "web", "-m", "gunicorn", "config.wsgi", "--bind", f"fd://{self._web.fileno()}", *GUNICORN,
            fds=[self._web.fileno()], **env,
        )  # fmt: skip
        self.sandbox.account(hooks=self.hooks())
        process.wait(lambda: requests.get(f"{self.url}/healthz", timeout=START_S).ok, START_S)
        return child

    def backstage(self) -> None:
        """Celery's digest and ticks, and beat; returns once they work."""
        digest = self.celery("digest,house")
        self.beat()
        process.wait(lambda: bool(app.control.ping(timeout=1)) or not digest.alive, START_S)

    def hooks(self) -> dict[str, str]:
        return {kind: self.url + url[url.index("/hooks/") :] for kind, url in hook_urls(self.hook_token).items()}

    @property
    def url(self) -> str:
        """Of the web server."""
        assert self._web
        return f"http://127.0.0.1:{self._web.getsockname()[1]}"

    def wire(self, upstream: str) -> Wire:
        """A fault proxy in front of host:port, or of a Unix socket."""
        self._wires.append(Wire(upstream, log=self.servers.home / f"proxy{len(self._wires)}.log"))
        return self._wires[-1]

    def wire_to_sandbox(self) -> Wire:
        """From now on requests to the provider pass through it."""
        wire = self.wire(self.sandbox.address)
        Connection.objects.filter(pk=self.connection.pk).update(base_url=f"http://{wire.address}")
        return wire

    def wire_to_database(self) -> Wire:
        """For workers(database=…); other processes get its address in DATABASE_URL."""
        return self.wire(self.database.socket)

    def _kept(self, child: Child) -> Child:
        self.children.append(child)
        return child

    # time

    def until(
        self, holds: Callable[[], object], *, seconds: float, what: str, meanwhile: Callable[[], object] = bool
    ) -> bool:
        """Wait for it, sampling the sums and doing `meanwhile` at each look; a finding if it does not come in time."""
        until = time.monotonic() + seconds
        while not self._asked(holds):
            if time.monotonic() > until:
                self.findings.append(f"{what}: not within {seconds:.0f} s")
                return False
            meanwhile()
            self._asked(self.samples.take_if_due)
            time.sleep(POLL_S)
        return True

    def finish(self, *campaigns: Campaign, seconds: float = 600, nemesis: Nemesis | None = None) -> bool:
        """Until no row of these campaigns is on its way any more and the nemesis has done all it wanted.

        The nemesis sees how many rows are settled, not how many the provider has: only that reaches the whole whatever
        was lost, refused or cancelled on the way.
        """
        passing = Message.objects.filter(campaign__in=campaigns).passing()

        def look() -> None:
            if nemesis and (left := self._asked(passing.count)) is not None:
                nemesis.look(sum(map(self.samples.people, campaigns)) - left)

        return self.until(
            lambda: (nemesis is None or nemesis.done) and not passing.exists(),
            seconds=seconds, what="the end of the campaign", meanwhile=look,
        )  # fmt: skip

    @staticmethod
    def _asked(question: Callable[[], Any]) -> Any:
        """None while the database is away."""
        try:
            return question()
        except Error:
            with suppress(Error):
                connections.close_all()
            return None


def _drain_forever(database: Wire | None) -> None:
    if database:
        connections["default"].settings_dict["OPTIONS"] |= {"host": "127.0.0.1", "port": str(database.port)}
    call_command("drain", forever=True)
