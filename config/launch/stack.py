"""All processes of one run on one home: what each is, their order of coming and going, what the run says of itself."""

import hashlib
import http.client
import json
import os
import socket
import sys
from collections.abc import Mapping

from config.launch import database, files, progress
from config.launch.home import USERS, Home
from config.launch.problem import ROOT, Problem
from config.launch.services import Services
from config.launch.supervisor import Child, Supervisor

START_S = 90
SENDING_STOP_S = 60.0  # a provider request lasts up to 40 s and its lease 65 (design.md, section 5)
PIDS = ("web", "worker", "digest", "webhooks", "beat", "sandbox", "postgres", "valkey")
SENDERS = ("beat", "worker", "digest", "webhooks")
RECEIVERS_BESIDE = {  # of webhooks, on this very machine
    "WEBHOOKS_ALLOW_HTTP": "1",
    "WEBHOOKS_PORTS": "",
    "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
}
HOOK_LINE = "8190"  # bytes of a request line that a DN or MO by GET may have; gunicorn's default is half of it


class Stack:
    """Start and stop everything; `supervisor` looks after it in between."""

    def __init__(self, home: Home, web: socket.socket, sandbox: socket.socket) -> None:
        self.home, self.web, self.sandbox = home, web, sandbox
        self.services = Services("", "")
        self.supervisor = Supervisor(home.log, home.ledger)
        self.supervisor.listen()
        self.env: dict[str, str] = {}
        self.run_file = home.path / "run.json"
        self.run_file.unlink(missing_ok=True)

    def start(
        self, services: Services, *, own_database: str | None = None, more: Mapping[str, str] | None = None
    ) -> None:
        """Return when pages are served. Raises Problem, or Stopped if told to stop meanwhile.

        `more` is put into the children's environment.
        """
        self.services = services
        progress.say("Starting the servers …")
        services.start(self.supervisor)
        url = services.database_url
        self.env = self._environment(database.create(url, own_database) if own_database else url) | dict(more or {})
        self._prepare()
        progress.say("Starting Switchboard …")
        for child in self._children():
            self.supervisor.add(child)
        self.supervisor.wait(lambda: answers(self.web, "/readyz"), START_S, "The web server's readiness")
        self._write_run_file()
        self.supervisor.on_change = self._write_run_file

    def stop(self) -> None:
        self.stop_children()
        for server in ("valkey", "postgres"):
            self.supervisor.stop(server)
        self.services.discard()
        self.run_file.unlink(missing_ok=True)
        self.home.ledger.unlink(missing_ok=True)

    def stop_children(self, *, at_most_s: float = SENDING_STOP_S) -> None:
        """Those who send first, then those whom they talk to; each stage bounded."""
        self.supervisor.on_change = lambda: None
        for stage in (SENDERS, ("web",), ("sandbox",)):
            self.supervisor.stop(*stage, at_most_s=at_most_s)

    def manage(self, *command: str, limit_s: float = 300, echo: bool = False) -> int:
        argv = [sys.executable, str(ROOT / "manage.py"), *command]
        return self.supervisor.call(command[0], argv, env=self.env, limit_s=limit_s, echo=echo)

    def greeting(self) -> str:
        users = "\n".join(f"  {name:<10}{password}" for name, password in self._users().items())
        return (
            f"Switchboard is ready at {url(self.web)}\n\nSign in as\n{users}\n\n"
            f"Handsets that receive and answer: {url(self.sandbox)}\n"
            f"State and logs: {self.home.path} · Ctrl-C stops everything."
        )

    def _environment(self, database_url: str) -> dict[str, str]:
        """Of every child; what other commands need beside this run is also kept in DIR/env."""
        secrets = self.home.secrets()
        shared = {
            "DATABASE_URL": database_url,
            "REDIS_URL": self.services.redis_url,
            "PUBLIC_URL": url(self.web),
            "SANDBOX_URL": url(self.sandbox),
            "HTTPS": "0",
            **RECEIVERS_BESIDE,
        }
        self.home.write(self.home.read() | shared)
        private = {
            "SWITCHBOARD_HOME": str(self.home.path),
            "CELERY_BEAT_FILE": str(self.home.path / "beat"),
            "DEBUG": "0",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **secrets, **shared, **private}

    def _prepare(self) -> None:
        progress.say("Preparing the database …")
        self._manage_or_fail("migrate", "--no-input")
        self._collect_static()
        self.supervisor.add(self._python("sandbox", "messaging.providers.sandbox", *self._sandbox_options()))
        self.supervisor.wait(lambda: answers(self.sandbox, "/healthz"), START_S, "The sandbox")
        hooks = {"user": self.env["SANDBOX_APP_KEY"], "pass": self.env["SANDBOX_APP_SECRET"], "hooks": self._hooks()}
        if post(self.sandbox, "/sandbox/accounts", hooks) != 200:
            raise Problem("The sandbox did not take the addresses of our hooks.", 1)
        if any(ROOT.glob("*/management/commands/seed_demo.py")):
            progress.say("Seeding the demo, unless it is there …")
            self._manage_or_fail("seed_demo")

    def _manage_or_fail(self, *command: str) -> None:
        if self.manage(*command):
            raise Problem(f"{files.tail(self.supervisor.log_of(command[0]), 20)}\n{command[0]} failed.", 1)

    def _collect_static(self) -> None:
        """Compressing thousands of files takes seconds: only when something changed since the last time."""
        changed = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
        for path in sorted((ROOT / "static").rglob("*")):
            changed.update(f"{path}{path.stat().st_mtime_ns}".encode())
        stamp = self.home.path / "static.stamp"
        if not stamp.is_file() or stamp.read_text() != changed.hexdigest():
            progress.say("Compressing styles and scripts, since they changed …")
            self._manage_or_fail("collectstatic", "--no-input", "--clear", "-v0")
            stamp.write_text(changed.hexdigest())

    def _children(self) -> list[Child]:
        bind = ["--bind", f"fd://{self.web.fileno()}", "--limit-request-line", HOOK_LINE, "--no-control-socket"]
        gunicorn = [
            "-c",
            "python:config.serving",
            *bind,
            "-k",
            "gthread",
            "-w",
            "2",
            "--threads",
            "4",
            "--timeout",
            "60",
            "--graceful-timeout",
            "30",
        ]
        celery = ["-A", "config", "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        return [
            self._python("web", "gunicorn", "config.wsgi", *gunicorn, stop_s=35),
            self._python("worker", "celery", *celery, "-n", "send@%h", "-Q", "send", "-c", "3", stop_s=SENDING_STOP_S),
            self._python("digest", "celery", *celery, "-n", "digest@%h", "-Q", "digest,house", "-c", "3", stop_s=30),
            self._python("webhooks", "celery", *celery, "-n", "webhooks@%h", "-Q", "webhooks", "-c", "2", stop_s=30),
            self._python("beat", "celery", "-A", "config", "beat"),
        ]

    def _python(self, name: str, module: str, *options: str, stop_s: float = 10) -> Child:
        fds = {"web": [self.web.fileno()], "sandbox": [self.sandbox.fileno()]}.get(name, [])
        argv = [sys.executable, "-m", module, *options]
        return Child(name, argv, env=self.env, cwd=ROOT, fds=fds, stop_s=stop_s)

    def _sandbox_options(self) -> list[str]:
        """Its account comes by environment: a command line can be read by everyone on the machine."""
        zone = self.env.get("TIME_ZONE") or self.home.read().get("TIME_ZONE")  # as settings.py finds it
        clock = ["--time-zone", zone] if zone else []
        return ["--fd", str(self.sandbox.fileno()), "--home", str(self.home.path / "sandbox"), *clock]

    def _hooks(self) -> dict[str, str]:
        base = f"{url(self.web)}/hooks/{self.env['SANDBOX_HOOK_TOKEN']}"
        return {"dn": f"{base}/dn", "mo": f"{base}/mo"}

    def _users(self) -> dict[str, str]:
        return {name: self.env[f"DEMO_PASSWORD_{name.upper()}"] for name in USERS}

    def _write_run_file(self) -> None:
        """For tools and tests beside us (interfaces.md, "Commands"); anew at every restart, since a pid changed."""
        running = self.supervisor.children
        content = {
            "web": url(self.web),
            "sandbox": url(self.sandbox),
            "hooks": self._hooks(),
            "connection": {"app_key": self.env["SANDBOX_APP_KEY"], "app_secret": self.env["SANDBOX_APP_SECRET"]},
            "users": self._users(),
            "pids": {name: running[name].pid if name in running else None for name in PIDS},
        }
        files.write_private(self.run_file, json.dumps(content, indent=1))


def url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def answers(listening: socket.socket, path: str) -> bool:
    return _ask(listening, "GET", path) == 200


def post(listening: socket.socket, path: str, content: object) -> int:
    return _ask(listening, "POST", path, json.dumps(content).encode())


def _ask(listening: socket.socket, method: str, path: str, body: bytes | None = None) -> int:
    """The status of the answer, 0 if there is none within 5 s."""
    connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=5)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
