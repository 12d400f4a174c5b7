"""The product's server with the baseline's URL: `gunicorn bench.nothing_wsgi`."""

from django.conf import settings

from config.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "bench.nothing"
