"""`manage.py test`: the checks that read, then pytest against a throw-away PostgreSQL and Valkey."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.launch import throwaway
from config.launch.problem import ROOT

PYTHON = sys.executable
TOOLS = Path(PYTHON).parent
IN_TWO = ("-n", "2", "--dist", "loadgroup")  # one worker has the whole products, the other one the rest
DEPLOYED = {"HTTPS": "1", "DEBUG": "0"}
CHECKS: dict[str, Sequence[str]] = {
    "types": (PYTHON, "-m", "mypy"),
    "lint": (PYTHON, "-m", "ruff", "check", "--quiet"),
    "format": (PYTHON, "-m", "ruff", "format", "--check", "--quiet"),
    "pages": (PYTHON, "-m", "djlint", "templates", "--lint", "--quiet"),
    "imports": (str(TOOLS / "lint-imports"),),
    "migrations": (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"),
    "deploy": (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
}


def run(options: list[str]) -> int:
    """pytest's exit code; 1 before it starts if a check fails. Arguments that choose tests skip the checks."""
    with throwaway.servers(durable=False) as env:
        if set(options) - {"--require-browser"}:
            return _pytest(options, env)
        return _pytest([*IN_TWO, *options], env) if _checks_pass(env) else 1


def _pytest(options: Sequence[str], env: Mapping[str, str]) -> int:
    return subprocess.run([PYTHON, "-m", "pytest", *options], env=env, check=False).returncode


def _checks_pass(env: Mapping[str, str]) -> bool:
    """Run every check, two at a time, so that one run shows all that is wrong."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return all(list(pool.map(lambda name: _check(name, env), CHECKS)))


def _check(name: str, env: Mapping[str, str]) -> bool:
    began = time.monotonic()
    env = {**env, **(DEPLOYED if name == "deploy" else {})}
    done = subprocess.run(CHECKS[name], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name}: failed\n{done.stdout}{done.stderr}".rstrip(), flush=True)
    else:
        print(f"{name}: ok ({time.monotonic() - began:.1f} s)", flush=True)
    return done.returncode == 0
