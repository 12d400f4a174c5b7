"""The OpenAPI document against the code: whatever it allows is answered as it says, whatever it forbids is refused.

About two minutes; SCHEMATHESIS_EXAMPLES sets how many calls of each operation are made up (default 6).
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from config.wsgi import application
from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.models import Scope
from tests.factories import (
    make_approved_campaign,
    make_approved_version,
    make_connection,
    make_contact,
    make_conversation,
    make_list,
    make_user,
    new_msisdn,
)

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "6"))
PACE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="SCHEMATHESIS_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
# 422: an Idempotency-Key that was made up for an earlier call, too.
CONFIG = schemathesis.Config.from_dict(
    {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]}}}
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
schemathesis.openapi.format("phone", st.sampled_from(["012-324 0066", "60123240067", "+60 12 324 0068"]))


@pytest.fixture
def api(transactional_db) -> Any:
    """The document, and rows for its operations to find."""
    connection = make_connection(name="Sandbox")
    contact = make_contact(new_msisdn(), name="Mei")
    make_conversation(contact, connection, last_mo_at=db_now())
    make_approved_version("Dear {{name}}")
    make_approved_campaign(connection, [contact])
    make_list([contact])
    return schemathesis.openapi.from_wsgi("/api/schema/", application, config=CONFIG)


@pytest.fixture
def key(transactional_db) -> str:
    owner = make_user(role="admin")
    client = create_client(
        name="Schemathesis", scopes=Scope.values, owner=owner, user=owner, now=db_now(), rate_per_minute=1_000_000
    )
    return add_key(client=client, user=owner, now=db_now())


schema = schemathesis.pytest.from_fixture("api").include(path_regex=r"^/api/v1/")


@schema.parametrize()
@PACE
def test_every_operation_does_what_its_description_says(case, key):
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"})


@schema.parametrize()
@settings(PACE, max_examples=2, phases=[Phase.generate])
def test_no_operation_answers_without_a_key(case):
    answer = case.call_and_validate(headers={"Authorization": "Bearer wg_live_00000000_nothing"})
    assert answer.status_code in (400, 401, 404, 405, 406), answer.text
