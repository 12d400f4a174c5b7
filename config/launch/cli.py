"""Which command was asked for; `up`, `test`, `bench`, `chaos` and `screenshots` are ours, the rest is Django's."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from config.launch import bootstrap
from config.launch.problem import ROOT, Problem


def run(argv: Sequence[str]) -> int:
    """Parse first, so that a typo costs nothing; then enter `.venv` and do it there."""
    try:
        match list(argv[1:]):
            case ["up", *options]:
                return _up(parse_up(options))
            case ["test", *options]:
                return _test(options)
            case ["bench", *options]:
                return _bench(options)
            case ["chaos", *options]:
                return _chaos(options)
            case ["screenshots", *options]:
                return _screenshots(parse_screenshots(options))
            case _:
                return _django(argv)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        return 130


def parse_up(options: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py up", description="Run Switchboard and all that it needs.")
    parser.add_argument("--port", type=_port, help="of the web pages; default the first free one from 8000")
    parser.add_argument("--sandbox-port", type=_port, help="of the sandbox; default the first free one from 8100")
    parser.add_argument("--home", type=Path, help="folder of all state; default $SWITCHBOARD_HOME or var/")
    parser.add_argument("--check", action="store_true", help="send one campaign through the sandbox, then stop")
    return parser.parse_args(options)


def parse_screenshots(options: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py screenshots", description="Pictures of every screen of an `up`.")
    parser.add_argument("--home", type=Path, help="the folder that `up` was given")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots", help="where they go; default screenshots/")
    parser.add_argument("--only", default="", metavar="TEXT", help="only addresses with this in them")
    return parser.parse_args(options)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port between 1 and 65535")
    return int(text)


def _up(options: argparse.Namespace) -> int:
    _needs_linux()
    bootstrap.enter("requirements.txt", local=True)
    from config.launch import up

    return up.run(options)


def _test(options: list[str]) -> int:
    _needs_linux()
    bootstrap.enter("requirements-dev.txt", local=True)
    from config.launch import testing

    return testing.run(options)


def _bench(options: list[str]) -> int:
    _needs_linux()
    bootstrap.enter("requirements-dev.txt", local=True)
    from config.launch import benching

    return benching.run(options)


def _chaos(options: list[str]) -> int:
    _needs_linux()
    bootstrap.enter("requirements-dev.txt", local=True)
    from config.launch import chaos

    return chaos.run(options)


def _screenshots(options: argparse.Namespace) -> int:
    bootstrap.enter("requirements-dev.txt", local=True)
    from config.launch import screenshots

    return screenshots.run(options)


def _django(argv: Sequence[str]) -> int:
    if not bootstrap.inside():
        bootstrap.enter("requirements.txt")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(list(argv))
    return 0


def _needs_linux() -> None:
    os.chdir(ROOT)
    if sys.platform != "linux":
        raise Problem("This command needs Linux; elsewhere docker compose runs Switchboard.")
