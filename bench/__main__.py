"""`python3 manage.py bench [NAME …]`: run the benchmarks, each beside its baseline in the same run."""

import argparse
import importlib
import os
import sys

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command

BENCHMARKS = (
    "campaign",
    "pace",
    "claims",
    "express",
    "doors",
    "importing",
    "starting",
    "inbound",
    "pages",
    "peers",
    "reads",
    "memory",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each figure; medians are printed")
    parser.add_argument("--people", type=int, help="recipients a run, or people in the house; else what each has")
    parser.add_argument("--messages", type=int, help="of `reads`: messages in the large house")
    options = parser.parse_args()
    if options.messages and options.names != ["reads"]:
        parser.error("--messages is for `bench reads` alone")
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    os.environ.setdefault("STATICFILES_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")  # uncollected
    django.setup()
    call_command("migrate", verbosity=0)
    if get_user_model().objects.exists():
        parser.error("this database is in use; `manage.py bench` brings an empty one of its own")
    for name in options.names or BENCHMARKS:
        benchmark = importlib.import_module(f"bench.{name}")
        sizes = {"messages": options.messages} if options.messages else {}
        benchmark.run(runs=options.runs, people=options.people or benchmark.PEOPLE, **sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
