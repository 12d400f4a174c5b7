"""What every test may use."""

import os
import shutil

import pytest

# Between tests all tables are emptied, append-only ones too (migrations 0002 of contacts, 0003 of messaging).
os.environ.setdefault("PGOPTIONS", "-c switchboard.allow_truncate=on")

INSTALL_CHROMIUM = "No Chromium here: apt-get install chromium"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-browser", action="store_true", help="fail, not skip, where there is no Chromium")


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> str:
    """Path of the system's Chromium; without one the test skips, or fails under --require-browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if request.config.getoption("--require-browser"):
        pytest.fail(INSTALL_CHROMIUM, pytrace=False)
    pytest.skip(INSTALL_CHROMIUM)
