import pytest
from structlog.testing import capture_logs

from config import peers
from config.peers import client_address

PROXIES = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1,198.51.100.1,10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", " 198.51.100.1:4711 ", "198.51.100.1"),
        ("10.0.0.1", '"[2001:db8::5]:443"', "2001:db8::5"),
        ("10.0.0.1", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:1::9", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, ", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, 010.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "for=198.51.100.1", "10.0.0.1"),
        ("10.0.0.1", "\x00", "10.0.0.1"),
        ("", "198.51.100.1", None),
        ("unix:", "198.51.100.1", None),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_counts(remote, forwarded, address):
    meta = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(meta, PROXIES) == address


def test_without_trusted_proxies_no_header_changes_anything():
    for forged in range(256):
        meta = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": f"198.51.100.{forged}"}
        assert client_address(meta, []) == "203.0.113.9"


def test_a_header_of_a_peer_that_is_not_trusted_is_told_once():
    peers._warn_of.cache_clear()
    with capture_logs() as lines:
        for remote in ("172.18.0.1", "172.18.0.1", "10.0.0.1", "172.18.0.2"):
            client_address({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": "198.51.100.1"}, PROXIES)
        client_address({"REMOTE_ADDR": "172.18.0.3"}, PROXIES)
    assert [(line["log_level"], line["peer"]) for line in lines] == [
        ("warning", "172.18.0.1"),
        ("warning", "172.18.0.2"),
    ]
