"""What every test may use."""

import os
import shutil
from pathlib import Path

import pytest

# Between tests all tables are emptied, append-only ones too (migrations 0002 of contacts, 0003 of messaging).
os.environ.setdefault("PGOPTIONS", "-c switchboard.allow_truncate=on")

INSTALL_CHROMIUM = "No Chromium here: apt-get install chromium"
TESTS = Path(__file__).parent
WHOLE_PRODUCTS = ("browser", "chaos", "launch")  # folders whose tests start it, with its six processes


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-browser", action="store_true", help="fail, not skip, where there is no Chromium")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under xdist a file keeps its fixtures together, and no two whole products run at once: they would starve."""
    for item in items:
        where = item.path.relative_to(TESTS)
        item.add_marker(pytest.mark.xdist_group("products" if where.parts[0] in WHOLE_PRODUCTS else str(where)))


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> str:
    """Path of the system's Chromium; without one the test skips, or fails under --require-browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if request.config.getoption("--require-browser"):
        pytest.fail(INSTALL_CHROMIUM, pytrace=False)
    pytest.skip(INSTALL_CHROMIUM)
