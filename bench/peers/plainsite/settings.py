"""PostgreSQL by libpq's own variables; connections are kept."""

import os

SECRET_KEY = "of a benchmark"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "post_office", "plainsite"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "CONN_MAX_AGE": None,
    },
}  # fmt: skip
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE = {
    "BACKENDS": {"default": "plainsite.backend.SinkBackend"},
    "BATCH_SIZE": 10_000,  # 100 by default, each with new processes: slower
    "THREADS_PER_PROCESS": int(os.environ["THREADS"]),
}
SINK_URL = os.environ["SINK_URL"]
