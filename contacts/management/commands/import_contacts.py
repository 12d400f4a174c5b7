from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contacts.imports.refusal import FileRefused
from contacts.imports.service import import_file
from contacts.models import ContactImport


class Command(BaseCommand):
    help = "Import people from a CSV file; rows that stay outside are written to FILE.bad.csv with the reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--list", dest="list_name", default="", metavar="NAME", help="the list that they join; made if need be"
        )

    def handle(self, *args: Any, file: Path, list_name: str, **options: Any) -> None:
        try:
            done = import_file(file, list_name)
        except (FileRefused, OSError) as error:
            raise CommandError(str(error)) from None
        if done.state == ContactImport.State.FAILED:
            raise CommandError(done.error)
        if done.title:
            self.stderr.write(f"The first {done.title_lines} line(s) were taken as a title: {done.title}")
        self.stdout.write(f"created={done.created} updated={done.updated} duplicate={done.duplicate} bad={done.bad}")
        bad_rows = file.with_name(f"{file.name}.bad.csv")
        bad_rows.unlink(missing_ok=True)  # an earlier run's
        if done.bad:
            _copy_out(done, bad_rows)
        if not done.created + done.updated:
            raise CommandError(f"No row could be imported; see {bad_rows.name}.")


def _copy_out(done: ContactImport, path: Path) -> None:
    with done.bad_rows.open("rb") as kept, path.open("wb") as out:
        for chunk in kept.chunks():
            out.write(chunk)
