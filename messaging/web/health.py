"""For machines: `/healthz` says that a process answers, `/readyz` whether it can do its work, `/metrics` how it goes.

Only the database and unapplied migrations make it unready: a silent broker slows messages down but loses none.
"""

from concurrent import futures
from functools import lru_cache

from django.conf import settings
from django.db import Error, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from config.celery import app
from config.peers import client_address, is_within
from messaging import metrics

LIMIT_S = 0.5  # for each check; they run side by side
_database_threads = futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="ready-database")
_broker_threads = futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="ready-broker")  # may fill: apart


@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    database = _database_threads.submit(_database, _migrations())
    broker = _broker_threads.submit(_broker)
    found = {"database": _answer(database, "down"), "broker": _answer(broker, "degraded")}
    ready = found["database"] == "ok"
    return JsonResponse({"status": "ready" if ready else "not ready", **found}, status=200 if ready else 503)


@never_cache
def metrics_page(request: HttpRequest) -> HttpResponse:
    """For Prometheus, whose address METRICS_PEERS names: it tells names of connections. 503 without a database."""
    if not is_within(client_address(request.META, settings.TRUSTED_PROXIES), settings.METRICS_PEERS):
        raise Http404
    try:
        return HttpResponse(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
    except Error:
        return HttpResponse("the database is away\n", status=503, content_type="text/plain")


def _answer(check: "futures.Future[str]", otherwise: str) -> str:
    try:
        return check.result(timeout=LIMIT_S)
    except Exception:  # noqa: BLE001, whatever it was, this part does not answer
        check.cancel()
        return otherwise


def _database(needed: frozenset[tuple[str, str]]) -> str:
    try:
        applied = MigrationRecorder(connection).applied_migrations()
        return "ok" if needed <= applied.keys() else "unapplied migrations"
    finally:
        connections.close_all()  # of this thread


@lru_cache(maxsize=1)
def _migrations() -> frozenset[tuple[str, str]]:
    """What this code needs to be applied; the files do not change while the process lives."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations) - {old for one in loader.disk_migrations.values() for old in one.replaces}


def _broker() -> str:
    with app.connection_for_write(connect_timeout=LIMIT_S) as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
    return "ok"
