from __future__ import annotations

from collections.abc import Iterator

import pytest

from messaging.models import Connection
from tests.factories import make_connection
from tests.twin import Twin, running_twin


@pytest.fixture(scope="module")
def twin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    with running_twin(tmp_path_factory.mktemp("twin")) as twin:
        yield twin


@pytest.fixture
def twin(twin_process: Twin) -> Twin:
    """The provider's twin: empty, with credit and without faults."""
    twin_process.control("reset")
    twin_process.control("faults", faults=[])
    twin_process.control("balance", balance="100000.0000")
    twin_process.control("accounts", user=twin_process.user, **{"pass": twin_process.secret}, hooks={}, state="ok")
    twin_process.control("templates", texts=["Dear {{name}}", "Same text for all"])
    return twin_process


@pytest.fixture
def connection(twin: Twin) -> Connection:
    return make_connection(base_url=twin.url, app_key=twin.user, app_secret=twin.secret, rate_per_s=2000)
