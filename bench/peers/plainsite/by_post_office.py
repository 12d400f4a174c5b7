"""`python -m plainsite.by_post_office` reads [[number, text], …] and sends each as an e-mail of django-post-office."""

import json
import logging
import os
import sys
import time

import django

django.setup()

from post_office.mail import send_many, send_queued_mail_until_done  # noqa: E402
from post_office.models import STATUS, Email  # noqa: E402


def main():
    logging.getLogger("post_office").setLevel(logging.ERROR)  # no line a batch
    Email.objects.all().delete()
    work = json.load(sys.stdin)
    send_many(
        {"sender": "bench@bench.invalid", "recipients": [f"{to}@bench.invalid"], "message": text} for to, text in work
    )
    began = time.monotonic()
    send_queued_mail_until_done(os.environ["LOCK"], processes=int(os.environ["PROCESSES"]))
    seconds = time.monotonic() - began
    print(json.dumps({"sent": Email.objects.filter(status=STATUS.sent).count(), "seconds": seconds}))


if __name__ == "__main__":
    main()
