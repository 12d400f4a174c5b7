"""`manage.py drain --forever` for a process whose clock libfaketime shifts; the monotonic clock stays true.

libfaketime 0.9.10 breaks clock_nanosleep on a clock that it leaves alone, which is what time.sleep calls; waiting on a
lock works.
"""

from __future__ import annotations

import threading
import time

import django


def main() -> None:
    time.sleep = lambda seconds: threading.Event().wait(seconds) and None  # type: ignore[assignment]
    django.setup()
    from django.core.management import call_command

    call_command("drain", forever=True)


if __name__ == "__main__":
    main()
