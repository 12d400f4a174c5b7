import pytest

from messaging.models import Connection
from tests.factories import make_connection


@pytest.fixture
def connection(db) -> Connection:
    return make_connection()
