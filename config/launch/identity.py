"""Who PostgreSQL runs as: it refuses uid 0, and initdb wants a user with a name.

An ordinary user stays who they are. Root, or a uid without a name, steps into a user namespace in which it is somebody
else: nothing is chowned, no user is made. Root without namespaces (some containers forbid them) becomes `nobody`.
"""

import ctypes
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.launch.problem import Problem

CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """`become` runs in the child before exec; `owner` is the uid that must own what the child writes."""

    name: str
    become: Callable[[], None] | None
    owner: int

    def may_use(self, program: Path, folder: Path) -> bool:
        """Whether this identity can start `program` and write in `folder`; tried, not guessed."""

        def try_it() -> None:
            if self.become:
                self.become()
            os.chdir(folder)
            if not os.access(".", os.W_OK):
                os._exit(1)

        try:
            trial = [str(program), "--version"]
            return (
                subprocess.run(trial, preexec_fn=try_it, capture_output=True, timeout=30, check=False).returncode == 0
            )
        except (OSError, subprocess.SubprocessError):
            return False


def ourselves() -> Identity:
    return Identity("ourselves", None, os.geteuid())


def in_namespace() -> Identity:
    """We, under another name: a user namespace that maps an inner uid with a passwd entry to ours."""
    outer, inner, group = os.geteuid(), _named_uid(), os.getegid()

    def become() -> None:
        if _libc.unshare(CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        for file, line in (("setgroups", "deny"), ("uid_map", f"{inner} {outer} 1"), ("gid_map", f"{inner} {group} 1")):
            with open(f"/proc/self/{file}", "w") as handle:
                handle.write(line)

    return Identity("namespace", become, outer)


def nobody() -> Identity:
    def become() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    return Identity("nobody", become, NOBODY)


def choose(program: Path, folder: Path, *, namespaces: bool = True) -> Identity:
    """The first identity that PostgreSQL accepts and that can work here; `nobody` needs a folder of its own."""
    if os.geteuid() and _has_name(os.geteuid()):
        return ourselves()
    if namespaces and (apart := in_namespace()).may_use(program, folder):
        return apart
    if os.geteuid() == 0:
        return nobody()
    raise Problem(f"PostgreSQL needs a user with a name, and uid {os.geteuid()} has none: set DATABASE_URL instead.")


def _named_uid() -> int:
    return 1000 if _has_name(1000) else next(user.pw_uid for user in pwd.getpwall() if user.pw_uid)


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False
