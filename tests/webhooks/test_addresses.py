"""No webhook reaches our own network, whatever its URL says and whatever the name in it resolves to (T25)."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from messaging.checks import webhooks_stay_outside
from messaging.clock import db_now
from messaging.models import WebhookEndpoint
from messaging.webhooks import BadAddress, create_endpoint
from messaging.webhooks.addresses import is_forbidden, read_url, resolve
from messaging.webhooks.posting import post
from tests.factories import make_user
from tests.webhooks.receivers import receiving

HOSTS = re.findall(
    r"\S+",
    """
127.0.0.1 127.0.0.2 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 017700000001 0177.0.0.1
0177.1 127.0.0.1. 127.0.0.01 127.000.000.001 0 0.0.0.0 0x0 00000000 localhost LOCALHOST localhost. LocalHost.
①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 127.0.0.1。 ⓛocalhost localhoſt ١٢٧.٠.٠.١ 127.0.0.1%00 127.0.0.1%2e
%31%32%37.0.0.1
[::1] [::] [0:0:0:0:0:0:0:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1]
[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::]
[fe80::1] [fe80::1%25lo] [fe80::1%lo] [fec0::1] [fc00::1] [fd00::1] [ff02::1] [5f00::1] [3fff::1] [2001:db8::1]
[100::1]
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 100.127.255.255
192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1
255.255.255.255 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254] [::ffff:0:127.0.0.1]
""",
)
OTHERS = [
    "https://user@127.0.0.1:{port}/",
    "https://user:pass@localhost:{port}/",
    "https://example.com@127.0.0.1:{port}/",
    "https://example.com:443@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@example.com/",
    "https://example.com\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/",
    "https://@127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\t/",
    "https://127.0.0.1\r\n:{port}/",
    " https://127.0.0.1:{port}/",
    "https://[::1:{port}/",
    "https://[::1]x:{port}/",
    "https://[]:{port}/",
    "https://:{port}/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:０/",
    "gopher://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "unix:///tmp/socket",
    "https+unix://127.0.0.1:{port}/",
    "javascript:alert(1)",
    "https://127.0.0.1 :{port}/",
]
URLS = [f"{scheme}://{host}:{{port}}/hook" for host in HOSTS for scheme in ("https", "http")] + OTHERS


class Listener:
    """Counts who connects to the loopback, over either family."""

    def __init__(self) -> None:
        self.connections = 0
        self.socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.connections += 1

    def close(self) -> int:
        """How many connections there were: one more of our own comes after all the others."""
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        while not self.connections:
            pass
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
        return self.connections - 1


@pytest.fixture
def production(settings) -> None:
    """No exceptions but those that make the listener's port and plain http possible: the addresses alone protect."""
    settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS, settings.WEBHOOKS_ALLOWED_NETWORKS = True, [], []


@contextmanager
def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Iterator[list[str]]:
    """A resolver that gives these addresses in turn, then the last one for ever; yields what it was asked."""
    asked: list[str] = []
    left = list(answers)

    def lookup(host: str, port: int, *_args: object, **_kwargs: object) -> list[tuple]:
        asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lookup)
        yield asked


@pytest.mark.usefixtures("production")
def test_no_hostile_url_connects_to_the_loopback():
    listener = Listener()
    assert len({url.split("://", 1)[-1] for url in URLS}) >= 80
    try:
        for url in URLS:
            reply = post(url.format(port=listener.port), b"{}", {}, deadline_s=1)
            assert reply.status is None and reply.error, url
    finally:
        seen = listener.close()
    assert seen == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("url", URLS)
def test_no_hostile_url_becomes_an_endpoint(url):
    with pytest.raises(BadAddress):
        create_endpoint(url=url.format(port=443), event_types=["message.status"], owner=make_user(), now=db_now())
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.usefixtures("production")
def test_a_name_that_changes_its_address_after_the_check_gains_nothing(monkeypatch):
    listener = Listener()
    url = f"http://rebinding.example:{listener.port}/"
    try:
        with resolving(monkeypatch, "192.0.3.1", "127.0.0.1") as asked:
            target = read_url(url)
            assert [str(address) for address in resolve(target)] == ["192.0.3.1"]
            assert post(url, b"{}", {}, deadline_s=1).error  # the next attempt checks anew
        with resolving(monkeypatch, "192.0.3.1", "127.0.0.1") as asked:
            post(url, b"{}", {}, deadline_s=0.5)  # checked, and connected to what was checked
            assert asked == ["rebinding.example"]
    finally:
        seen = listener.close()
    assert seen == 0


@pytest.mark.usefixtures("production")
def test_one_forbidden_address_among_good_ones_is_enough(monkeypatch):
    def both(host: str, port: int, **_kwargs: object) -> list[tuple]:
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(BadAddress):
        resolve(read_url("https://both.example/"))


def test_a_redirect_to_the_loopback_is_not_followed():
    listener = Listener()
    try:
        for status in (301, 302, 303, 307, 308):
            with receiving(status=status, headers={"Location": f"http://127.0.0.1:{listener.port}/"}) as receiver:
                reply = post(receiver.url, b"{}", {})
                assert reply.status == status and not reply.delivered
    finally:
        seen = listener.close()
    assert seen == 0


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    listener = Listener()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    try:
        with receiving() as receiver:
            assert post(receiver.url, b"{}", {}).delivered
    finally:
        seen = listener.close()
    assert seen == 0


@pytest.mark.parametrize(
    ("scheme", "port", "allowed"),
    [("https", 443, True), ("https", 8443, True), ("https", 22, False), ("http", 443, False), ("http", 80, False)],
)
def test_production_speaks_https_on_two_ports(settings, scheme, port, allowed):
    settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = False, [443, 8443]
    if allowed:
        assert read_url(f"{scheme}://hooks.example:{port}/a?b=c").path == "/a?b=c"
    else:
        with pytest.raises(BadAddress):
            read_url(f"{scheme}://hooks.example:{port}/a?b=c")


@pytest.mark.parametrize(
    "host", ["hooks.example.com", "a_b.example", "xn--bcher-kva.example", "8.8.8.8", "[2606:4700::1111]"]
)
def test_a_usual_host_is_read(host):
    assert read_url(f"https://{host}/").host == host.strip("[]")


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "good", ["8.8.8.8", "192.0.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_the_open_internet_is_not_forbidden(good):
    assert not is_forbidden(ip_address(good))


@pytest.mark.parametrize(
    ("https", "http", "networks", "warned"),
    [
        (True, False, [], False),
        (True, True, [], True),
        (True, False, ["10.0.0.0/8"], True),
        (False, True, ["::/0"], False),
    ],
)
def test_exceptions_on_a_public_host_are_warned_of(settings, https, http, networks, warned):
    settings.HTTPS, settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_ALLOWED_NETWORKS = https, http, networks
    assert bool(webhooks_stay_outside()) is warned
