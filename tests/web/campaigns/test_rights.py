"""Who sees and does what."""

import pytest

from messaging.roles import ROLES
from tests.web.campaigns.steps import as_posted, fresh, page, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLES)
def test_everyone_on_the_staff_reads_campaigns_and_strangers_do_not(role, draft, sign_in):
    assert sign_in(role).get(url(draft)).status_code == 200
    assert sign_in("stranger").get(url(draft)).status_code == 403


@pytest.mark.parametrize(
    ("role", "act", "allowed"),
    [
        ("viewer", "launch", False),
        ("agent", "pause", False),
        ("composer", "launch", True),
        ("approver", "withdraw", False),
        ("composer", "withdraw", True),
        ("viewer", "cancel", False),
    ],
)
def test_acts_are_for_those_whose_role_has_them(role, act, allowed, approved, sign_in):
    assert (sign_in(role).get(url(approved, "campaign_act", act)).status_code == 200) is allowed


def test_a_viewer_cannot_save_a_draft(draft, sign_in):
    client = sign_in("viewer")
    assert '<fieldset class="stack" disabled>' in page(client, draft)
    assert client.post(url(draft), as_posted(client, draft, name="Mine")).status_code == 403
    assert fresh(draft).name == "Gotong-royong"


def test_an_act_that_does_not_exist_is_not_found(draft, sign_in):
    assert sign_in("admin").post(url(draft, "campaign_act", "explode")).status_code == 404


def test_a_viewer_sees_no_whole_numbers(running, people, sign_in):
    assert people[0].pretty_number not in page(sign_in("viewer"), running)
    assert people[0].pretty_number in page(sign_in("composer"), running)
