"""DIR, where one installation of `manage.py up` keeps all it has: secrets, data, logs, and the lock on them."""

import base64
import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from config.launch import files
from config.launch.problem import Problem

USERS = ("composer", "approver", "agent", "viewer", "admin")
SECRETS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "FIELD_KEYS": lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(),  # one Fernet key
    "ADDRESS_HMAC_KEY": lambda: secrets.token_urlsafe(32),
    "SANDBOX_APP_KEY": lambda: f"demo{secrets.token_hex(6)}",
    "SANDBOX_APP_SECRET": lambda: secrets.token_urlsafe(24),
    "SANDBOX_HOOK_TOKEN": lambda: secrets.token_urlsafe(24),
    **{f"DEMO_PASSWORD_{user.upper()}": lambda: secrets.token_urlsafe(12) for user in USERS},
}


class Home:
    """The folder and what lies at its top; `hold` makes sure that one process at a time uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.log = self.path / "log"
        self.ledger = self.path / "children.json"
        self._lock: IO[str] | None = None

    def hold(self) -> None:
        try:
            self.log.mkdir(0o700, parents=True, exist_ok=True)
            self._lock = open(self.path / "lock", "a+")  # noqa: SIM115  (held as long as we live)
        except OSError as error:
            raise Problem(f"{self.path} cannot be used as the home folder: {error.strerror}.") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"Switchboard already runs with {self.path}; choose another folder with --home.") from None

    def secrets(self) -> dict[str, str]:
        """Those in DIR/env, new ones for what is missing; the environment and SWITCHBOARD_DEMO_PASSWORD win."""
        kept = self.read()
        made = {name: kept.get(name) or os.environ.get(name) or make() for name, make in SECRETS.items()}
        self.write(kept | made)
        everyone = os.environ.get("SWITCHBOARD_DEMO_PASSWORD")
        demo = {name: everyone for name in made if everyone and name.startswith("DEMO_PASSWORD_")}
        return made | {name: value for name in made if (value := os.environ.get(name))} | demo

    def read(self) -> dict[str, str]:
        file = self.path / "env"
        lines = file.read_text().splitlines() if file.is_file() else []
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def write(self, values: Mapping[str, str]) -> None:
        """Everything that another `manage.py` command needs beside a running `up`; settings.py reads it."""
        lines = ["# Made by `manage.py up`. Without FIELD_KEYS the stored credentials cannot be read any more."]
        lines += [f"{name}={value}" for name, value in values.items()]
        files.write_private(self.path / "env", "\n".join(lines) + "\n")
