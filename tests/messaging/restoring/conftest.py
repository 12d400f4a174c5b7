from __future__ import annotations

import pytest

from messaging.restoring import witness
from messaging.restoring.witness import _Witness


@pytest.fixture(autouse=True)
def machine_of_its_own(settings, tmp_path, monkeypatch):
    """A home in which nothing was seen yet."""
    settings.HOME = tmp_path
    monkeypatch.setattr(witness, "_witness", _Witness())
