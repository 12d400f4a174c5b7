"""The examples as a reader copies them: run as they are against a live server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.urls import reverse

from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.doorkeeping import create_door_client, rotate_door_key
from messaging.models import Connection, Conversation, DoorCall, Message, Template
from messaging.web.developers.examples import LANGUAGES, TITLES, examples
from messaging.webhooks.signing import new_secret, signed_headers
from tests.factories import make_approved_version, make_connection, make_contact, make_conversation, make_user
from tests.rig import wait_until

NUMBER = "60123240066"  # whom the examples write to
TOLD = json.dumps({"id": "1", "type": "campaign.state", "data": {"state": "finished"}}).encode()
RUNS = {"curl": ["bash", "-eu", "-c"], "python": [sys.executable, "-c"]}


def code(language: str, name: str) -> str:
    return next(example.code for example in examples(language) if example.name == name)


def run(language: str, name: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*RUNS[language], code(language, name)]
    return subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, timeout=60, check=False, cwd=cwd
    )


@pytest.fixture
def host(live_server, settings) -> str:
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def window(transactional_db) -> None:
    """The person of the examples has just written."""
    make_conversation(make_contact(NUMBER), make_connection(name="Klang"), last_mo_at=db_now())


@pytest.fixture
def key(window) -> dict[str, str]:
    owner, now = make_user(role="admin"), db_now()
    client = create_client(name="Shop", scopes=["send", "read"], owner=owner, user=owner, now=now)
    return {"SWITCHBOARD_KEY": add_key(client=client, user=owner, now=now)}


@pytest.mark.parametrize("language", RUNS)
def test_a_text_is_sent_once_however_often_and_read_by_its_reference(language, host, key):
    for _twice in range(2):
        sent = run(language, "send_text", **key)
        assert sent.returncode == 0, sent.stderr
    message = Message.objects.get()
    assert (message.body, message.reference) == ("Your order is ready.", "order-4711")
    assert str(message.public_id) in sent.stdout
    read = run(language, "read_message", **key)
    assert read.returncode == 0, read.stderr
    assert str(message.public_id) in read.stdout


@pytest.mark.parametrize("language", RUNS)
def test_a_template_of_ones_own_is_sent_whatever_its_name(language, host, key):
    version = make_approved_version("Hello {{name}}", samples={"name": "Siti “Ain” d'Cruz"})
    Template.objects.update(name='Puan\'s "order" is ready')
    sent = run(language, "send_template", **key)
    assert sent.returncode == 0, sent.stderr + sent.stdout
    message = Message.objects.get()
    assert (message.template_version, message.variables) == (version, {"name": "Siti “Ain” d'Cruz"})


@pytest.mark.parametrize("language", RUNS)
def test_a_refusal_fails_and_says_why(language, host, key):
    Conversation.objects.update(last_mo_at=None)
    refused = run(language, "send_text", **key)
    assert refused.returncode != 0
    assert "window_closed" in refused.stdout + refused.stderr


@pytest.mark.parametrize("language", RUNS)
def test_the_door_takes_the_call_of_the_providers_client(language, host, window):
    owner, now = make_user(), db_now()
    client = create_door_client(
        name="Desk",
        connection=Connection.objects.get(),
        owner=owner,
        allowed_peers=["127.0.0.0/8"],
        user=owner,
        now=now,
    )
    app_key, app_secret = rotate_door_key(client=client, user=owner, now=now)
    called = run(language, "call_door", APP_KEY=app_key, APP_SECRET=app_secret)
    assert called.returncode == 0, called.stderr
    assert DoorCall.objects.get().ref in called.stdout


@pytest.mark.django_db
def test_the_shell_tells_a_true_signature_from_a_false_one(tmp_path):
    (tmp_path / "body").write_bytes(TOLD)
    secret = new_secret()
    headers = signed_headers("1", TOLD, [new_secret(), secret], db_now())
    env = {"ID": "1", "TIMESTAMP": headers["webhook-timestamp"], "SIGNATURE": headers["webhook-signature"]}
    assert run("curl", "verify_webhook", tmp_path, WEBHOOK_SECRET=secret, **env).returncode == 0
    assert run("curl", "verify_webhook", tmp_path, WEBHOOK_SECRET=new_secret(), **env).returncode != 0


@pytest.mark.django_db
def test_the_receiver_in_python_takes_what_we_signed_and_nothing_else():
    secret, port = new_secret(), free_port()
    env = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port)}
    receiver = subprocess.Popen(
        [sys.executable, "-c", code("python", "verify_webhook")], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: listens(port), seconds=20, what="the receiver")

        def told(signs_with: str) -> int:
            headers = signed_headers("1", TOLD, [signs_with], db_now())
            return requests.post(f"http://127.0.0.1:{port}/", data=TOLD, headers=headers, timeout=10).status_code

        assert [told(secret), told(new_secret())] == [204, 400]
        assert receiver.stdout.readline() == "campaign.state {'state': 'finished'}\n"
    finally:
        receiver.kill()
        receiver.wait(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not shutil.which("php"), reason="no PHP here")
@pytest.mark.django_db
@pytest.mark.parametrize("name", TITLES)
def test_php_can_be_read(name):
    checked = subprocess.run(["php", "-l"], input=code("php", name), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.django_db
def test_they_name_ones_own_host_and_template_and_hold_no_secret(settings, sign_in):
    settings.PUBLIC_URL = "https://mesej.klinik.my"
    make_approved_version("Hello {{name}}", samples={"name": "d'Cruz"})
    Template.objects.update(name="Puan's order")
    for language in LANGUAGES:
        shown = "".join(example.code for example in examples(language))
        assert "gateway.example.com" not in shown
        assert "order_ready" not in shown
        assert "https://mesej.klinik.my/api/v1/messages" in shown
        page = sign_in("admin").get(reverse("developer_examples"), {"in": language})
        assert "https://mesej.klinik.my/gw/bulk360/v3_0/send.php" in page.content.decode()
    assert r"'template' => 'Puan\'s order'" in shown
    assert r"['name' => 'd\'Cruz']" in shown
