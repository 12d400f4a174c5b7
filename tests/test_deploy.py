"""docker-compose.yml cannot be run everywhere the tests run; what it names must exist all the same."""

import re
import shlex
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.base import CLIContext
from celery.bin.beat import beat
from celery.bin.worker import worker
from django.core.management import get_commands
from gunicorn.config import Config

from config.celery import app

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
EXAMPLE = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
SET_BY_COMPOSE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "REDISCLI_AUTH"}  # of the servers' images
FOR_COMPOSE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def test_the_services_of_a_production_are_all_there_and_the_sandbox_only_on_request():
    always = {name for name, service in SERVICES.items() if not service.get("profiles")}
    assert always == {"migrate", "web", "worker-send", "worker-digest", "worker-webhooks", "beat", "postgres", "redis"}
    assert SERVICES["sandbox"]["profiles"] == ["sandbox"]


def test_every_variable_that_settings_read_is_explained_in_the_example():
    source = (ROOT / "config" / "settings.py").read_text() + (ROOT / "config" / "celery.py").read_text()
    read = set(re.findall(r"""(?:\benv(?:\.\w+)?\(|environ\.get\(|environ\[)\s*["'](\w+)""", source))
    assert {"SECRET_KEY", "DATABASE_URL", "CELERY_BEAT_FILE"} <= read
    assert read <= EXAMPLE


def test_every_variable_of_the_example_is_read_somewhere():
    places = [*ROOT.glob("config/**/*.py"), *ROOT.glob("messaging/**/*.py"), *ROOT.glob("contacts/**/*.py")]
    code = "\n".join(path.read_text() for path in places) + (ROOT / "docker-compose.yml").read_text()
    unread = {name for name in EXAMPLE if not re.search(rf"\b{name}\b", code)}
    assert {name for name in unread if not name.startswith("DEMO_PASSWORD_")} == set()


def test_every_variable_that_compose_uses_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{([A-Z_]+)", text))
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert used == FOR_COMPOSE
    assert used | given <= EXAMPLE | SET_BY_COMPOSE


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_each_service_of_ours_exists_with_its_options(name):
    program, *arguments = shlex.split(OURS[name]["command"])
    match [program, *arguments]:
        case ["gunicorn", *options]:
            assert Config().parser().parse_args(options).args == ["config.wsgi"]
        case ["celery", "-A", "config", "worker", *options]:
            worker.make_context("worker", options, obj=CLIContext(app, no_color=True, workdir=None))
        case ["celery", "-A", "config", "beat", *options]:
            beat.make_context("beat", options, obj=CLIContext(app, no_color=True, workdir=None))
        case ["python", "manage.py", command, *_]:
            assert command in get_commands()
        case ["python", "-m", module, *_]:
            assert find_spec(f"{module}.__main__")
        case unknown:
            pytest.fail(f"What is {unknown}?")


def queues(command: str) -> set[str]:
    return set(re.search(r"-Q (\S+)", command)[1].split(","))


def test_every_queue_has_a_worker_and_hooks_wait_for_nothing_else():
    app.loader.import_default_modules()
    names = [name for name in app.tasks if name.startswith("messaging.tasks.")]
    routed = {name: app.amqp.router.route({}, name)["queue"].name for name in names}
    consumed = set.union(*(queues(service["command"]) for service in OURS.values() if " worker " in service["command"]))
    assert set(routed.values()) == consumed == {"send", "digest", "house", "webhooks"}
    assert [name for name, queue in routed.items() if queue == "digest"] == ["messaging.tasks.digest_all"]
    assert [name for name, queue in routed.items() if queue == "webhooks"] == ["messaging.tasks.deliver_webhooks"]


def test_a_worker_of_house_work_has_a_process_to_spare_for_the_hooks():
    """One tick and one import at a time; what is left reads what the hooks stored."""
    command = OURS["worker-digest"]["command"]
    assert queues(command) == {"digest", "house"}
    assert int(re.search(r"-c (\d+)", command)[1]) >= 3


def test_web_is_healthy_when_it_is_ready_and_listens_on_this_machine_only():
    assert "/readyz" in " ".join(SERVICES["web"]["healthcheck"]["test"])
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", []))


def test_the_example_and_the_readme_trust_the_address_from_which_docker_hands_on():
    network = COMPOSE["networks"]["default"]["ipam"]["config"][0]
    assert ip_address(network["gateway"]) in ip_network(network["subnet"])
    assert f"\nTRUSTED_PROXIES={network['gateway']}\n" in (ROOT / ".env.example").read_text()
    assert f"`{network['gateway']}`" in (ROOT / "README.md").read_text()


def test_no_upload_fills_the_memory_of_the_machine():
    assert all("size=" in place for service in OURS.values() for place in service["tmpfs"])


def test_nothing_of_ours_runs_as_root_or_writes_outside_its_volume():
    image = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\w+)", image, re.MULTILINE) == ["switchboard"]
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in OURS.values())


def test_the_broker_keeps_what_it_took_and_evicts_nothing():
    assert "--appendonly yes" in SERVICES["redis"]["command"]
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"]


def test_every_dependency_of_a_service_is_a_service_with_a_health_check_or_an_end():
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            waits_for_health = how["condition"] == "service_healthy"
            assert ("healthcheck" in SERVICES[other]) is waits_for_health


def test_the_image_is_built_from_files_that_are_there_and_let_in():
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == let_in
    assert all((ROOT / source).exists() for source in copied)
