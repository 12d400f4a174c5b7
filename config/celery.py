"""Celery only hurries along what stands in PostgreSQL: early acks, no results, ids as arguments, no long ETAs."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("switchboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_default_queue="send",
    task_routes={
        "messaging.tasks.digest*": {"queue": "digest"},
        "messaging.tasks.tick*": {"queue": "house"},
        "messaging.tasks.import*": {"queue": "house"},
        "messaging.tasks.deliver*": {"queue": "webhooks"},
    },
    task_publish_retry=False,
    task_time_limit=120,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_max_tasks_per_child=2000,
    worker_soft_shutdown_timeout=50,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    beat_schedule={
        "digest": {"task": "messaging.tasks.digest_all", "schedule": 1.0, "options": {"expires": 2}},
        "send": {"task": "messaging.tasks.drain_all", "schedule": 2.0, "options": {"expires": 2}},
        "webhooks": {"task": "messaging.tasks.deliver_webhooks", "schedule": 1.0, "options": {"expires": 2}},
        "tick": {"task": "messaging.tasks.tick", "schedule": 2.0, "options": {"expires": 2}},
        "imports": {"task": "messaging.tasks.import_waiting", "schedule": 20.0, "options": {"expires": 20}},
    },
    beat_schedule_filename=os.environ.get("CELERY_BEAT_FILE", "celerybeat-schedule"),
)
app.autodiscover_tasks(["messaging"])


@worker_process_init.connect
def _start_timer(**_kwargs: Any) -> None:
    """In each process of a worker: what stands in PostgreSQL is done though nobody hints at it."""
    from messaging.timers import Timer  # noqa: PLC0415 - models are not loaded before

    timer = Timer(list(app.amqp.queues.consume_from))
    worker_process_shutdown.connect(lambda **_kwargs: timer.stop(), weak=False)
    timer.start()
