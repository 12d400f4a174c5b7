from collections.abc import Iterator

import pytest

from tests.twin import SECRET, TEMPLATE, USER, Twin, running_twin

from .hook import Hook


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    with running_twin(tmp_path_factory.mktemp("sandbox")) as twin:
        yield twin


@pytest.fixture
def twin(process: Twin) -> Twin:
    """The running sandbox, emptied, with one approved template."""
    process.control("reset")
    process.control(
        "accounts", user=USER, state="ok", allow_list=[], hooks={"dn": None, "mo": None}, **{"pass": SECRET}
    )
    process.control("templates", texts=[TEMPLATE])
    process.control("dn", delay_s=0.05)
    return process


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def hooked(twin: Twin, hook: Hook) -> Twin:
    """The sandbox with its DNs and MOs going to `hook`."""
    twin.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn", "mo": f"{hook.url}/mo"})
    return twin
