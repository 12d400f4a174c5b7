"""`python -m plainsite.by_task` reads [[number, text], …] and sends each by a Celery task of its own."""

import json
import os
import sys
import time

import django
import requests
from celery import Celery

django.setup()

from django.conf import settings  # noqa: E402
from plainsite.models import Recipient  # noqa: E402

START_S, LIMIT_S = 60, 800
app = Celery("plainsite", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"global_keyprefix": "plainsite-"},  # apart from the other worker on this broker
)


@app.task(name="plainsite.send")
def send(pk):
    recipient = Recipient.objects.get(pk=pk)
    form = {"user": "bench", "pass": "bench", "to": recipient.msisdn, "text": recipient.text, "detail": "1"}
    answer = requests.post(settings.SINK_URL, data=form, timeout=40).json()
    recipient.status, recipient.ref = ("sent" if answer["code"] == 200 else "failed"), answer.get("ref", "")
    recipient.save()


def main():
    Recipient.objects.all().delete()
    rows = Recipient.objects.bulk_create(Recipient(msisdn=to, text=text) for to, text in json.load(sys.stdin))
    if not any(app.control.ping(timeout=1) for _ in range(START_S)):
        raise SystemExit("the worker did not start")
    began = time.monotonic()
    for row in rows:
        send.delay(row.pk)
    while Recipient.objects.filter(status="queued").exists() and time.monotonic() < began + LIMIT_S:
        time.sleep(0.05)
    seconds = time.monotonic() - began
    print(json.dumps({"sent": Recipient.objects.filter(status="sent").count(), "seconds": seconds}))


if __name__ == "__main__":
    main()
